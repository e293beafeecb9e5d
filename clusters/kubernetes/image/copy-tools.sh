#!/bin/sh
# copy-tools.sh OUT PROGRAM... : copies programs of an image, and the libraries that each is linked with, below OUT.
set -eu
out=$1
shift
mkdir -p "$out/usr/bin" "$out/lib/x86_64-linux-gnu" "$out/tmp"
chmod 1777 "$out/tmp"
ln -s usr/bin "$out/bin"
for program in "$@"; do
  file=$(for folder in /usr/bin /bin /usr/sbin /sbin; do echo "$folder/$program"; done | while read -r path; do
    if [ -x "$path" ]; then echo "$path"; break; fi
  done)
  [ -n "$file" ] || { echo "this image has no $program" >&2; exit 1; }
  cp -L "$file" "$out/usr/bin/$program"
  for library in $(ldd "$file" | grep -o '/lib/[^ ]*' || true); do
    cp -L "$library" "$out/lib/x86_64-linux-gnu/"
  done
done
