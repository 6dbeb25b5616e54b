#!/bin/sh
# Installs what a lock names, and the wrapper, into /rootfs; writes down what is then in the image.
set -eu

pip install --no-compile --require-hashes --no-deps --prefix=/rootfs/usr/local --requirement "$1"
pip install --no-compile --no-deps --no-index --prefix=/rootfs/usr/local dist/*.whl

packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
sh compile.sh "/rootfs$packages"

# The SBOM is made by looking at the image's own interpreter and packages.
cat >image-python <<PYTHON
#!/bin/sh
PYTHONPATH=/rootfs$packages exec python "\$@"
PYTHON
chmod +x image-python
mkdir -p /rootfs/usr/local/share/hkube
PYTHONPATH=/build/tools python -m cyclonedx_py environment --output-reproducible --pyproject pyproject.toml \
    --output-file /rootfs/usr/local/share/hkube/sbom.cdx.json "$PWD/image-python"
