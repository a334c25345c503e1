# One image a service:    docker build --build-arg SERVICE=records -t attend/records .
# The command `attend`:   docker build --build-arg SERVICE=stack --build-arg FOLDER=stack -t attend/stack .
# Runs as nobody in particular, with a read-only root file system; /tmp is all it may want to write.

# The same for every service, so made once: the pinned build tools, and the wheels of the two libraries.
FROM python:3.13-slim-trixie AS tools
WORKDIR /src
RUN python -m venv /opt/tools
COPY deploy/build.lock ./
RUN /opt/tools/bin/pip install -q --disable-pip-version-check --no-cache-dir --require-hashes -r build.lock
ENV PATH=/opt/tools/bin:$PATH UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY schemas/pyproject.toml schemas/pyproject.toml
COPY schemas/src schemas/src
COPY chassis/pyproject.toml chassis/pyproject.toml
COPY chassis/src chassis/src
RUN for member in schemas chassis; do (cd $member && hatchling build -t wheel -d /wheels) || exit 1; done

# The service's own list, then the wheels without asking for anything more. The stack's list is short of what only runs
# servers on one machine (a Java, a PostgreSQL), so there is nothing to check there.
FROM tools AS build
ARG SERVICE
ARG FOLDER=services/${SERVICE}
RUN test -n "${SERVICE}" || { echo "give --build-arg SERVICE=booking|records|reminders|notifier|stack" >&2; exit 1; } \
 && uv venv -q --python /usr/local/bin/python /opt/venv
ENV VIRTUAL_ENV=/opt/venv
COPY ${FOLDER}/requirements.lock ./
RUN uv pip sync -q --require-hashes requirements.lock
COPY ${FOLDER}/pyproject.toml service/pyproject.toml
COPY ${FOLDER}/src service/src
COPY deploy/service.sh ./
RUN (cd service && hatchling build -t wheel -d /wheels) \
 && uv pip install -q --no-deps --no-index /wheels/*.whl \
 && { [ "${SERVICE}" = stack ] || uv pip check -q; } \
 && sed "s/@SERVICE@/${SERVICE}/" /src/service.sh > /opt/venv/bin/service \
 && chmod 755 /opt/venv/bin/service

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --no-create-home attend
COPY --from=build /opt/venv /opt/venv
COPY deploy/ready.sh /usr/local/bin/ready
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
# Its network is the container's own: it listens to all of it, and whoever publishes a port says to whom.
ENV ATTEND_HTTP_HOST=0.0.0.0 ATTEND_HTTP_PORT=8080 ATTEND_OPERATIONS_HOST=0.0.0.0 ATTEND_OPERATIONS_PORT=8081
USER 10001
WORKDIR /tmp
# the API, and health, status and metrics
EXPOSE 8080 8081
ENTRYPOINT ["service"]
CMD ["run"]
