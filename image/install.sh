#!/bin/sh
# Installs what a lock names, and the wrapper, into /rootfs; writes down what is then in the image.
set -eu

packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
library=$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')

pip install --no-compile --require-hashes --no-deps --prefix=/rootfs/usr/local --requirement "$1"
pip install --no-compile --no-deps --no-index --prefix=/rootfs/usr/local dist/*.whl

# The libraries' own tests and C sources serve nobody here.
find "/rootfs$packages" -type d -name tests -prune -exec rm -rf {} +
find "/rootfs$packages" -name '*.[ch]' -delete -o -name '*.p[xy][dx]' -delete

# Symbols for debuggers are a third of some libraries.
find "/rootfs$packages" -name '*.so' -exec strip --strip-unneeded {} +

# The image's own interpreter, as far as packages are concerned.
cat >image-python <<PYTHON
#!/bin/sh
PYTHONPATH=/rootfs$packages exec python "\$@"
PYTHON
chmod +x image-python

# Its command line starts isolated: not even Python itself looks for modules in PYTHONPATH, where
# the folder of the user is.
cat >/rootfs/usr/local/bin/hkube-wrapper <<PYTHON
#!/usr/local/bin/python3 -Iu
import sys

from hkube_python_wrapper._launch import command

sys.exit(command())
PYTHON

# HKube's builder installs a fixed version of the published package, unless it is there: pip takes
# this entry for it, because `==2.6.0.dev27` accepts any local label (what follows the +).
version="$PUBLISHED_VERSION+hkube.wrapper"
entry=/rootfs$packages/hkube_python_wrapper-$version.dist-info
mkdir "$entry"
cat >"$entry/METADATA" <<METADATA
Metadata-Version: 2.1
Name: hkube-python-wrapper
Version: $version
Summary: Stands for the published package: hkube-wrapper has its modules and takes its place.
METADATA
echo hkube-wrapper >"$entry/INSTALLER"
: >"$entry/RECORD"

./image-python warm_up/warm_up.py
(cd / && find ".$library" -name __pycache__ -not -path '*/site-packages/*' \
    -exec cp --parents --recursive --target-directory=/rootfs {} +)

mkdir -p /rootfs/usr/local/share/hkube
PYTHONPATH=/build/tools python -m cyclonedx_py environment --output-reproducible \
    --pyproject pyproject.toml --output-file /rootfs/usr/local/share/hkube/sbom.cdx.json \
    "$PWD/image-python"
