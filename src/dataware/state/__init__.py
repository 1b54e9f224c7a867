"""What outlives a process: journals on this machine, markers in the account."""

from dataware.state.journal import (
    FileJournal,
    FileJournals,
    journal_path,
    read_records,
    state_folder,
)
from dataware.state.markers import PERMISSIONS, ParameterMarkers

__all__ = [
    "PERMISSIONS",
    "FileJournal",
    "FileJournals",
    "ParameterMarkers",
    "journal_path",
    "read_records",
    "state_folder",
]
