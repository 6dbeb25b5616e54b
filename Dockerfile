# The image that algorithms are made from, and (target slim) the same without the local tools.
# What is in it and why: docs/image.md.
ARG PYTHON_VERSION=3.11
# The release of hkube-python-wrapper that HKube's builder asks for: docs/image.md.
ARG PUBLISHED_VERSION=2.6.0.dev27

# ------------------------------------------------------------- what both images have in common --
FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# For strip. Any version will do: nothing of it stays.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils \
 && rm -rf /var/lib/apt/lists/*

# A private index comes as a secret, a pip.conf: it is there for one step, and in no layer.
COPY image/build.lock ./
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf,required=false \
    pip install --require-hashes --no-deps --target=/build/tools -r build.lock

COPY LICENSE README.md pyproject.toml requirements.txt requirements-dev.txt requirements-metrics.txt requirements-otel.txt ./
COPY hkube_python_wrapper hkube_python_wrapper
COPY hkube_wrapper hkube_wrapper
COPY wrapper wrapper
RUN PYTHONPATH=/build/tools pip wheel --no-deps --no-build-isolation --wheel-dir=dist .

# HKube's layout. Group 0 may write what the user may: OpenShift takes any uid, with that group.
COPY entrypoint.sh image/app.py image/process_one.py ./
RUN mkdir -p /rootfs/etc && install -d -m 775 /rootfs/hkube/python \
        /rootfs/hkube/algorithm-runner /rootfs/hkube/algorithm-runner/algorithm_unique_folder \
 && install -d -m 777 /rootfs/hkube-logs /rootfs/var/metrics \
 && install -m 664 app.py /rootfs/hkube/algorithm-runner/ \
 && install -m 755 entrypoint.sh /rootfs/hkube/docker-entrypoint.sh \
 && install -m 644 process_one.py /rootfs/hkube/ \
 && { cat /etc/passwd; echo 'hkube:x:10001:0:HKube algorithm:/tmp:/usr/sbin/nologin'; } >/rootfs/etc/passwd

# ----------------------------------------------------- their packages, locked, and what they are --
FROM build AS build-slim
COPY image/warm_up.py warm_up/
COPY image/slim.lock image/install.sh ./
ARG PUBLISHED_VERSION
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf,required=false sh install.sh slim.lock

FROM build AS build-full
COPY image/warm_up.py warm_up/
COPY requirements.lock image/install.sh ./
ARG PUBLISHED_VERSION
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf,required=false sh install.sh requirements.lock

# --------------------------------------------------------------------------------- the images --
FROM python:${PYTHON_VERSION}-slim AS base
ARG PYTHON_VERSION
# An algorithm's image inherits all labels. So these names are the wrapper's own: the usual ones,
# such as org.opencontainers.image.title, are for the algorithm.
LABEL io.hkube.python-wrapper.description="Runs a Python function as an HKube algorithm" \
      io.hkube.python-wrapper.licenses="MIT" \
      io.hkube.python-wrapper.base="python:${PYTHON_VERSION}-slim"
# No PYTHONPATH with the user's folder: a json.py there would stop pip, and every other program.
# HOME: the one folder that can be written under any uid, and mounted where the root cannot be.
ENV HOME=/tmp \
    USER=hkube \
    PATH=/hkube/python/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONUSERBASE=/hkube/python \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    HKUBE_HEALTH_SOCKET=hkube-wrapper
WORKDIR /hkube/algorithm-runner
USER 10001:0
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["hkube-wrapper", "health"]
ENTRYPOINT ["/hkube/docker-entrypoint.sh"]

FROM base AS slim
COPY --from=build-slim /rootfs /
ARG VERSION=0.2.0
ARG REVISION=
LABEL io.hkube.python-wrapper.version=$VERSION io.hkube.python-wrapper.revision=$REVISION

FROM base
COPY --from=build-full /rootfs /
ARG VERSION=0.2.0
ARG REVISION=
LABEL io.hkube.python-wrapper.version=$VERSION io.hkube.python-wrapper.revision=$REVISION
