# Two stages: the first builds the wheel and installs it with its pinned requirements into /opt/triaged; the second
# holds that folder and Python, no compiler, no pip cache, no source. Proved without an engine by `make docker-proof`.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements requirements
RUN python3 -m venv /opt/triaged
RUN /opt/triaged/bin/python -m pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/core.txt
RUN python3 -m venv /opt/build
RUN /opt/build/bin/python -m pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/build.txt
COPY . .
RUN /opt/build/bin/python -m pip wheel --no-build-isolation --no-deps --wheel-dir /dist .
RUN /opt/triaged/bin/python -m pip install --no-cache-dir --no-index --no-deps /dist/*.whl
RUN /opt/triaged/bin/python -m compileall -q /opt/triaged/lib
RUN /opt/triaged/bin/python -m pip uninstall --quiet --yes setuptools pip

FROM python:3.13-slim
COPY --from=build /opt/triaged /opt/triaged
RUN groupadd --gid 10001 triaged
RUN useradd --uid 10001 --gid 10001 --home-dir /var/lib/triaged --no-create-home --shell /usr/sbin/nologin triaged
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/triaged
ENV PATH=/opt/triaged/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# The configuration is mounted at /etc/triaged/triaged.toml; its tracker, where it is SQLite, belongs on the volume.
VOLUME /var/lib/triaged
WORKDIR /var/lib/triaged
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["triaged", "check", "--running"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["triaged"]
CMD ["run"]
