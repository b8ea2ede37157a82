#!/usr/bin/env bash
# Ansible's part (Debian's ansible, with its collection amazon.aws): a playbook
# that makes everything, moves the interface when its owner is another, and
# changes nothing when all is as told. run.sh gives ENILAB_URL, WITNESS,
# CONTRACT_TMP and the credentials.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$CONTRACT_TMP/ansible
mkdir -p "$work"
# The modules run under Debian's Python, for which Debian installs boto3.
export AWS_URL=$ENILAB_URL ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3
export ANSIBLE_HOME=$work ANSIBLE_LOCAL_TEMP=$work/local ANSIBLE_REMOTE_TEMP=$work/remote ANSIBLE_CONFIG=$work/ansible.cfg
: > "$work/ansible.cfg"
export ANSIBLE_NOCOLOR=1 ANSIBLE_RETRY_FILES_ENABLED=0 ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_INVENTORY_UNPARSED_WARNING=0

# play CHANGED PLAYBOOK [ARGUMENT...]: so many tasks change something; any number for +.
play() {
  local want=$1 playbook=$2 changed; shift 2
  if ! ansible-playbook "$here/ansible/$playbook" -e facts="$work/facts" "$@" > "$work/play.log" 2>&1; then
    cat "$work/play.log" >&2
    return 1
  fi
  changed=$(sed -n -E 's/^localhost .*changed=([0-9]+).*/\1/p' "$work/play.log")
  echo "  $playbook $*: changed=$changed"
  case $want in
    +) [ "$changed" -gt 0 ] ;;
    *) [ "$changed" = "$want" ] ;;
  esac || { echo "$playbook $*: changed=$changed, want $want" >&2; cat "$work/play.log" >&2; return 1; }
}

echo "- everything, with the first as owner"
play + site.yml -e owner=one
source "$work/facts"
echo "- the second as owner: the interface moves, and nothing else changes"
"$WITNESS" watch "$client" 10.80.1.42
play 1 site.yml -e owner=two
"$WITNESS" moved "$eni" "$one" "$two"
echo "- again: nothing changes"
play 0 site.yml -e owner=two
echo "- deletion, and again"
play + absent.yml
play 0 absent.yml
