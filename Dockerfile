# Enlarges what is put into a folder; docs/container.md:
#
#   docker build -t rfdn-video .
#   docker run --rm --gpus all -v "$PWD/in:/in:ro" -v "$PWD/out:/out" rfdn-video
#
# Build arguments:
#   BASE             an image of Debian's or Ubuntu's kind with Python >= 3.12; a torch that it has is used
#   TORCH_INDEX_URL  the package index that torch is taken from, for example one with CPU-only builds; empty: the
#                    default index, whose torch for Linux on x86-64 computes on CUDA and on the CPU
#   EXTRAS           of pyproject.toml: "watch,serve,openvino" is faster on a CPU with AVX-512
#   VERSION, REVISION  for the labels

ARG BASE=python:3.12-slim

FROM ${BASE} AS build
ARG TORCH_INDEX_URL=""
ARG EXTRAS=watch,serve
RUN python3 -m venv --system-site-packages /opt/rfdn-video
ENV PATH=/opt/rfdn-video/bin:$PATH
# The large part first, so that a change of the sources does not fetch it again; the version is the newest
# that pyproject.toml allows, as for every user.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "torch>=2.6"
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY presets presets
COPY plugins/vsrfdn plugins/vsrfdn
COPY rfdn_video rfdn_video
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[$EXTRAS]"

FROM ${BASE}
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="rfdn-video" \
      org.opencontainers.image.description="Makes videos larger and sharper with RFDN / E-RFDN" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
# Whatever version the base's distribution has will do: tini only passes signals on and reaps processes.
# The user has the number that the first one of most machines has, so that mounted folders fit.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --non-unique --no-create-home --home-dir /tmp rfdn \
    && install -d -o 1000 -g 1000 /in /out /presets
COPY --from=build /opt/rfdn-video /opt/rfdn-video
# The root may be read-only: what is written beside the results goes to /tmp, or where that is not writable to /out.
# LOGNAME is for libraries that ask who they run as, under --user too.
ENV PATH=/opt/rfdn-video/bin:$PATH \
    HOME=/tmp \
    LOGNAME=rfdn \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
USER 1000:1000
WORKDIR /out
STOPSIGNAL SIGTERM
# Of the status page, where RFDN_BATCH_SERVE=0.0.0.0:8080 asks for it.
EXPOSE 8080
# The heartbeat of the batch in /out; a job of another kind is run with --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=15s --start-period=2m --retries=3 \
    CMD ["rfdn-video", "batch", "status", "/out", "--check"]
ENTRYPOINT ["tini", "--", "rfdn-video"]
CMD ["batch", "/in", "-o", "/out", "--watch"]
