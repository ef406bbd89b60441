#!/bin/sh
# Unpack Cyrus IMAP beside the system: its Debian package can't be installed together with Dovecot's.
# Into $TRIAGED_TEST_CYRUS; by default /var/cache/triaged-tests/cyrus for root, ~/.cache/triaged-tests/cyrus for others.
set -eu
if [ "$(id -u)" = 0 ]; then usual=/var/cache; else usual=${XDG_CACHE_HOME:-$HOME/.cache}; fi
target=${TRIAGED_TEST_CYRUS:-$usual/triaged-tests/cyrus}
if [ -x "$target/usr/lib/cyrus/bin/master" ]; then
    echo "Cyrus is in $target"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
# The libraries that it depends on and that are not there; nothing else is needed to run its programs.
wanted="cyrus-imapd cyrus-common"
for name in $(apt-cache depends --recurse --important cyrus-imapd cyrus-common | grep '^lib' | grep -v ':' | sort -u); do
    if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' &&
        apt-cache policy "$name" | grep -q 'Candidate: [0-9]'; then
        wanted="$wanted $name"
    fi
done
apt-get download -q $wanted
mkdir root
for package in ./*.deb; do dpkg-deb -x "$package" root; done
mkdir -p "$(dirname "$target")"
rm -rf "$target"
mv root "$target"
chmod -R a+rX "$target"
echo "Cyrus is in $target"
