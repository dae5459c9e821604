#!/usr/bin/env bash
# A real Blender 5.2 with its window on a virtual screen with software OpenGL, where there is none: `make test-blender`.
#
#   screen.sh setup        once: a Debian of its own with Blender, its window system and what pictures a screen (1.5 GB)
#   screen.sh ARGUMENT…    run `blender ARGUMENT…` in there on a screen of 1600×900; ends with Blender's exit code
#
# Needs root, and Debian's debootstrap. /tmp and the current folder are seen inside at the same paths. Blender runs there
# on Debian's own Python, so that it takes the extension that is built for `system`. DIGIDOUBLE_SCREEN_ROOT says where
# that Debian is kept.
set -euo pipefail
root=${DIGIDOUBLE_SCREEN_ROOT:-/var/cache/digidouble-screen}
ready=$root/.digidouble-ready-2
packages=(
  blender xvfb xauth imagemagick libgl1-mesa-dri libegl1 libglx-mesa0
  python3-numpy python3-scipy python3-threadpoolctl python3-pydantic python3-yaml
  python3-requests python3-cattr python3-zstandard python3-certifi
  python3-onnxruntime python3-openimageio # for the panel Denoise
)

inside() { # a command in that Debian, with mounts that end with it
  # shellcheck disable=SC2016 # the inner shell expands it
  unshare --mount --propagation private -- bash -euc '
    root=$1; shift
    for folder in /proc /sys /dev /tmp "$PWD"; do mkdir -p "$root$folder"; mount --rbind "$folder" "$root$folder"; done
    exec chroot "$root" env -C "$PWD" "$@"' _ "$root" "$@"
}

setup() {
  [[ -e $ready ]] && return
  if ! command -v debootstrap >/dev/null; then
    apt-get update -qq && apt-get install -y -qq debootstrap >/dev/null
  fi
  if [[ ! -e $root/.base ]]; then
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates sid "$root" >/dev/null
    touch "$root/.base"
  fi
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  inside env DEBIAN_FRONTEND=noninteractive bash -ec '
    apt-get -qq -o Acquire::Check-Valid-Until=false update
    apt-get -qq install -y --no-install-recommends "$@" >/dev/null' _ "${packages[@]}"
  touch "$ready"
}

setup
[[ ${1:-} == setup ]] && exit
home=$(mktemp -d /tmp/digidouble-screen.XXXXXX)
trap 'rm -rf "$home"' EXIT
inside env HOME="$home" LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe \
  xvfb-run -a -s '-screen 0 1600x900x24 +extension GLX' blender --window-geometry 0 0 1600 900 "$@"
