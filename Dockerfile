# The service alone: the base install and the extra "serve", nothing to train with.
#
#   docker build -t serenade .
#   docker run --rm -p 8000:8000 --read-only --tmpfs /tmp --cap-drop ALL \
#       --security-opt no-new-privileges -e SERENADE_API_KEY_HASHES=... serenade

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src ./src
RUN python -m venv /opt/serenade && /opt/serenade/bin/pip install ".[serve]"

FROM python:3.11-slim
# nothing is written at run time, so the root file system can be read-only
ENV PATH=/opt/serenade/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 SERENADE_HOST=0.0.0.0
COPY --from=build /opt/serenade /opt/serenade
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["serenade", "serve"]
