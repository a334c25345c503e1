# One image a service:    docker build --build-arg SERVICE=records -t attend/records .
# The command `attend`:   docker build --build-arg SERVICE=stack --build-arg FOLDER=stack -t attend/stack .
# Runs as nobody in particular, with a read-only root file system; /tmp is all it may want to write.
FROM python:3.13-slim-trixie AS build
ARG SERVICE
ARG FOLDER=services/${SERVICE}
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN test -n "${SERVICE}" || { echo "give --build-arg SERVICE=booking|records|reminders|notifier|stack" >&2; exit 1; } \
 && python -m venv /opt/build && python -m venv /opt/venv
COPY deploy/build.lock ./
RUN /opt/build/bin/pip install -q --require-hashes -r build.lock
COPY ${FOLDER}/requirements.lock ./
RUN /opt/venv/bin/pip install -q --require-hashes -r requirements.lock
COPY schemas/pyproject.toml schemas/pyproject.toml
COPY schemas/src schemas/src
COPY chassis/pyproject.toml chassis/pyproject.toml
COPY chassis/src chassis/src
COPY ${FOLDER}/pyproject.toml service/pyproject.toml
COPY ${FOLDER}/src service/src
# Wheels are made with the pinned build tools and installed from this folder alone. The stack's list is short of what only
# runs servers on one machine (a Java, a PostgreSQL), so there is nothing to check there.
RUN /opt/build/bin/pip wheel -q --no-deps --no-build-isolation --wheel-dir wheels ./schemas ./chassis ./service \
 && /opt/venv/bin/pip install -q --no-deps --no-index wheels/*.whl \
 && { [ "${SERVICE}" = stack ] || /opt/venv/bin/pip check; } \
 && printf '#!/bin/sh\nexec /opt/venv/bin/python -m %s "$@"\n' "${SERVICE}" > /opt/venv/bin/service \
 && chmod 755 /opt/venv/bin/service \
 && /opt/venv/bin/pip uninstall -q -y pip

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --no-create-home attend
COPY --from=build /opt/venv /opt/venv
COPY deploy/ready.sh /usr/local/bin/ready
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["service"]
CMD ["run"]
