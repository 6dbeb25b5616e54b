#!/bin/sh
# Writes the bytecode of a folder's modules, but for those that a container never imports.
set -eu

LIBRARY='test|tests|unittest|idlelib|tkinter|turtledemo|lib2to3|distutils|ensurepip|pydoc_data|xmlrpc'
PACKAGES='pymongo|gridfs|dns|pygments'

python -m compileall -q -j 0 -x "/($LIBRARY|$PACKAGES)/" "$1"
