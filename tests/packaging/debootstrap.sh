#!/usr/bin/env bash
# Proves the Dockerfile where no engine runs: each of its instructions is carried out, in order, in a plain Debian tree
# per stage (debootstrap; its Python stands in for the base image's), then the image's user starts the program.
# Wants root, debootstrap, and a Python with pip on this side. Packages are fetched on this side, with this machine's
# own settings, and handed to the trees as files. KEEP=1 leaves the trees for a look.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "docker-proof: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "debootstrap and chroot want root; run it as root"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
HOST_PYTHON=${PYTHON:-python3}
"$HOST_PYTHON" -m pip --version >/dev/null 2>&1 || fail "$HOST_PYTHON has no pip: apt-get install python3-pip, or name one: PYTHON=..."

SUITE=${SUITE:-bookworm}
sources() { find /etc/apt -name '*.sources' -o -name '*.list' | sort | xargs -r cat; }
MIRROR=${MIRROR:-$(sources | sed -nE 's/^URIs: *([^ ]*\/debian)\/?$/\1/p; s/^deb (\[[^]]*\] )?([^ ]*\/debian)\/? .*/\2/p' | sed -n 1p)}
[ -n "$MIRROR" ] || fail "no Debian mirror found under /etc/apt; name one: MIRROR=..."

work=$(mktemp -d /var/tmp/triaged-docker-proof.XXXXXX)
cleanup() { if [ -n "${KEEP:-}" ]; then echo "left for a look: $work"; else rm -rf --one-file-system "$work"; fi; }
trap cleanup EXIT

echo "== base: debootstrap $SUITE"
debootstrap --variant=minbase --include=python3,python3-venv "$SUITE" "$work/base" "$MIRROR" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; fail "debootstrap failed"; }
umount "$work/base/proc" "$work/base/sys" 2>/dev/null || true
version=$(chroot "$work/base" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')

echo "== packages for Python $version, fetched on this side"
mkdir "$work/packages"
for list in core build; do
    "$HOST_PYTHON" -m pip download --quiet --disable-pip-version-check --only-binary :all: --python-version "$version" \
        --require-hashes --no-deps -r "requirements/$list.txt" -d "$work/packages" 2>"$work/download.log" ||
        { tail -n 20 "$work/download.log" >&2; fail "pip download failed"; }
done

tree=
declare -A stages=()
declare -a environment=()
user=0:0 directory=/ entrypoint= command= health=

inside() { # runs one shell line in the current stage, as its user, in its directory, with its environment only
    chroot --userspec="$user" "$tree" /usr/bin/env -i HOME=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        PIP_NO_INDEX=1 PIP_FIND_LINKS=/packages PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
        "${environment[@]}" /bin/sh -c "cd '$directory' && $1"
}

json_words() { "$HOST_PYTHON" -c 'import json, shlex, sys; print(shlex.join(json.loads(sys.argv[1])))' "$1"; }

copy() { # COPY [--from=STAGE] SOURCE... TARGET
    local from=. sources=() target
    case $1 in --from=*) from=${stages[${1#--from=}]}; shift ;; esac
    target=${*: -1}
    sources=("${@:1:$#-1}")
    case $target in /*) target=$tree$target ;; *) target=$tree$directory/$target ;; esac
    if [ "$from" = . ] && [ "${sources[*]}" = . ]; then
        mapfile -t sources < <(sed -n 's/^!//p' .dockerignore) # it names what may enter, and nothing else does
        for source in "${sources[@]}"; do cp -a "$source" "$target/"; done
    elif [ "$from" = . ]; then
        cp -a "${sources[@]}" "$target"
    else
        mkdir -p "$(dirname "$target")" && cp -a "$from${sources[0]}" "$target"
    fi
}

start_stage() { # FROM IMAGE [AS NAME]
    tree=$work/stage${#stages[@]}
    stages[${3:-final}]=$tree
    environment=() user=0:0 directory=/
    cp -a "$work/base" "$tree"
    cp -a "$work/packages" "$tree/packages"
}

while IFS= read -r line; do
    case $line in '' | '#'*) continue ;; esac
    echo "== $line"
    rest=${line#* }
    # shellcheck disable=SC2086 # words of an instruction are split as the engine splits them
    case $line in
        'FROM '*) start_stage $rest ;;
        'RUN '*) inside "$rest" || fail "this step failed: $line" ;;
        'COPY '*) copy $rest ;;
        'WORKDIR '*) directory=$rest; mkdir -p "$tree$directory" ;;
        'ENV '*) for pair in $rest; do
            environment+=("${pair//\$PATH//usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}")
        done ;;
        'USER '*) user=$rest ;;
        'ENTRYPOINT '*) entrypoint=$(json_words "$rest") ;;
        'HEALTHCHECK '*) health=$(json_words "[${rest#*[}") ;;
        'CMD '*) command=$(json_words "$rest") ;;
        'VOLUME '* | 'STOPSIGNAL '*) ;;
        *) fail "this script can't carry out: $line" ;;
    esac
done <Dockerfile
rm -rf --one-file-system "$tree/packages"

echo "== the image: user $user, health check: $health, started by: $entrypoint $command"
inside 'test "$(id -u)" = 10001 && ! test -w /opt/triaged && test -w /var/lib/triaged' || fail "user or permissions are wrong"
for tool in gcc cc make git; do ! inside "command -v $tool" >/dev/null || fail "a build tool is in the final layer: $tool"; done
[ ! -e "$tree/src" ] && [ ! -e "$tree/opt/build" ] && [ ! -e "$tree/dist" ] || fail "the build stage leaked into the image"
inside "$entrypoint --help" >"$work/help.txt" || fail "triaged --help failed"
head -n 3 "$work/help.txt"
inside "python -c 'from triaged.resources import migrations, starter_configuration, starter_policies as p
assert (migrations() / \"env.py\").is_file() and starter_configuration().is_file() and list(p().glob(\"*.toml\"))'" ||
    fail "the wheel lacks migrations, configuration or policies"

# No mail server is in the tree: check must come up, say in sentences what fails, and exit 1, as every other program would.
inside "$entrypoint init /var/lib/triaged" || fail "triaged init failed"
printf 'demo\n' >"$tree/var/lib/triaged/imap-password" && chown 10001:10001 "$tree/var/lib/triaged/imap-password"
code=0
inside "SMTP_PASSWORD=demo $entrypoint check --config /var/lib/triaged/triaged.toml" >"$work/check.txt" 2>&1 || code=$?
cat "$work/check.txt"
[ "$code" = 1 ] || fail "triaged check exited $code where a mailbox that nobody serves must make it 1"
! grep -qE 'Traceback|should not happen' "$work/check.txt" || fail "triaged check broke"
grep -qi imap "$work/check.txt" || fail "triaged check does not name the mailbox that nobody serves"
echo "== proved: $(du -sm "$tree/opt/triaged" | cut -f1) MB in /opt/triaged, on Python $version of $SUITE"
