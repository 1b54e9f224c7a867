# dataware in an image: `docker build --tag dataware .`, then
# `docker run --rm --volume "$PWD:/app" --env AWS_REGION dataware plan dataware.toml`.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml MANIFEST.in README.md CHANGELOG.md LICENSE ./
COPY docs/dataware.1 ./docs/
COPY src ./src
RUN python -m pip wheel --quiet --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN python -m pip install --quiet --no-cache-dir /wheels/*.whl \
    && rm -r /wheels \
    && useradd --create-home --uid 10001 dataware
USER dataware
WORKDIR /app
# Journals live beside the app, so that the next container continues where this one ended.
ENV DATAWARE_STATE=/app/.dataware
ENTRYPOINT ["dataware"]
CMD ["--help"]
