# infway in a container. The base can be replaced by a mirror or pinned by digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim-trixie@sha256:... .
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The tools that build stay in this stage; the environment that is shipped has no pip.
RUN python -m venv /opt/tools && python -m venv --without-pip /opt/infway
# The locks name every file by its hash. The two secrets are optional: they say where a private
# package registry is and which certificate it has, and leave no trace in any layer.
COPY docker/build.txt requirements/google.txt requirements/postgres.txt ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca.crt,target=/run/secrets/ca.crt \
    /opt/tools/bin/pip install \
        --require-hashes --only-binary :all: --no-deps -r build.txt \
    && /opt/tools/bin/pip --python /opt/infway/bin/python install \
        --require-hashes --only-binary :all: --no-deps -r google.txt \
    && /opt/tools/bin/pip --python /opt/infway/bin/python install \
        --require-hashes --only-binary :all: --no-deps -r postgres.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/tools/bin/pip wheel --no-index --no-build-isolation --no-deps --wheel-dir /dist . \
    && /opt/tools/bin/pip --python /opt/infway/bin/python install --no-index --no-deps /dist/*.whl
# Files that Python would run at every start, before infway: none may have come with a dependency.
RUN test -z "$(find /opt/infway -name '*.pth' -o -name 'sitecustomize*' -o -name 'usercustomize*')"

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="infway" \
      org.opencontainers.image.description="A self-hosted, OpenAI-compatible LLM routing gateway" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 infway \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/infway \
        --shell /usr/sbin/nologin infway \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/infway
COPY --from=build /opt/infway /opt/infway
ENV PATH=/opt/infway/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    INFWAY_HOST=0.0.0.0 \
    INFWAY_PORT=8080 \
    INFWAY_DATA_DIR=/var/lib/infway
USER 10001:10001
WORKDIR /var/lib/infway
VOLUME ["/var/lib/infway"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["infway", "health"]
ENTRYPOINT ["infway"]
CMD ["serve"]
