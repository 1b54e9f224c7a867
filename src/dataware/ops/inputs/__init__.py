"""What people write, turned into values: an app into wanted resources, an address into a place.

Everything here raises InputError with one sentence that names the input, what is wrong and what to
do. No module of this package calls a service.
"""
