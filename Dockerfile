# Enlarges every video of a folder:
#
#   docker build -t rfdn-video .
#   docker run --rm --gpus all -v "$PWD/in:/in:ro" -v "$PWD/out:/out" rfdn-video
#
# Arguments replace that with a command line of your own: docker run ... rfdn-video /in/a.mp4 -s 3 -o /out
# Files are written as user 1000; another one: --user "$(id -u):$(id -g)".
# Without --gpus all it computes on the CPU; -e RFDN_REQUIRE_GPU=1 makes that exit code 6.
# Build arguments: BASE, an image with Python >= 3.12; TORCH_INDEX_URL, the package index that torch is
# taken from, for example one with CPU-only builds (empty: the default index, whose torch runs on CUDA).

ARG BASE=python:3.12-slim

FROM ${BASE} AS build
ARG TORCH_INDEX_URL=""
RUN python3 -m venv /opt/rfdn-video
ENV PATH=/opt/rfdn-video/bin:$PATH
# The large part first, so that a change of the sources does not fetch it again; the version is the newest
# that pyproject.toml allows, as for every user.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "torch>=2.6"
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY presets presets
COPY plugins plugins
COPY rfdn_video rfdn_video
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && pip install --no-cache-dir /wheels/*.whl

FROM ${BASE}
RUN useradd --create-home --uid 1000 rfdn
COPY --from=build /opt/rfdn-video /opt/rfdn-video
ENV PATH=/opt/rfdn-video/bin:$PATH \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
USER 1000:1000
WORKDIR /out
ENTRYPOINT ["/bin/sh", "-c", "\
if [ $# = 0 ]; then \
    for file in /in/*; do [ ! -f \"$file\" ] || set -- \"$@\" \"$file\"; done; \
    if [ $# = 0 ]; then \
        echo 'rfdn-video: /in holds no file: mount a folder of videos, -v \"$PWD/in:/in:ro\"' >&2; exit 3; \
    fi; \
    set -- \"$@\" -o /out; \
fi; \
exec rfdn-video \"$@\"", "rfdn-video"]
