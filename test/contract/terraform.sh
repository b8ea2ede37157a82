#!/usr/bin/env bash
# Terraform's part: apply, a clean plan, another owner, a clean plan, destroy.
#
#   terraform.sh provider    prints the folder in which the AWS provider is installed
#   terraform.sh story       tells the story; run.sh gives ENILAB_URL, WITNESS and CONTRACT_TMP
#   terraform.sh fis         makes, changes and deletes templates of AWS FIS
#   terraform.sh data        asks the data sources, which say what they must find
#   terraform.sh prepare DIR writes DIR/terraform.rc, which makes Terraform take that provider
#
# Nothing is downloaded. The provider is looked for where ENILAB_TF_PLUGIN_DIR
# or Terraform's own settings say, and then in the usual places for programs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
address=registry.terraform.io/hashicorp/aws

# mirrors prints candidates, best first.
mirrors() {
  local file
  if [ -n "${ENILAB_TF_PLUGIN_DIR:-}" ]; then
    echo "$ENILAB_TF_PLUGIN_DIR"
    return # who names a folder means that one
  fi
  echo "${TF_PLUGIN_CACHE_DIR:-}"
  for file in "${TF_CLI_CONFIG_FILE:-}" "${HOME:-}/.terraformrc"; do
    if [ -r "$file" ]; then
      sed -n -E 's/^[[:space:]]*(path|plugin_cache_dir)[[:space:]]*=[[:space:]]*"(.*)".*/\2/p' "$file"
    fi
  done
  find "${HOME:-/nonexistent}/.terraform.d" /opt /usr/local /usr/share /usr/lib /var/lib -maxdepth 6 \
    -type d -path "*/$address" 2>/dev/null | sed "s,/$address\$,,"
}

provider() {
  local dir
  while read -r dir; do
    if [ -n "$dir" ] && [ -d "$dir/$address" ]; then echo "$dir"; return; fi
  done < <(mirrors)
  echo "no $address is installed" >&2
  return 1
}

prepare() {
  cat > "$1/terraform.rc" <<RC
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$(provider)"
  }
}
RC
}

tf() { terraform -chdir="$work" "$@"; }

# logged FILE COMMAND...: shows of what it said the complaints alone.
logged() {
  local file=$work/$1; shift
  tf "$@" -input=false -no-color > "$file" 2>&1 && return
  sed -n '/^Error/,$p' "$file"
  return 1
}

# change VERB OWNER
change() { logged "$1-$2.log" "$1" -auto-approve -var "endpoint=$ENILAB_URL" -var "owner=$2"; }

# clean OWNER: Terraform sees nothing to change.
clean() {
  local code=0
  tf plan -detailed-exitcode -input=false -no-color -var "endpoint=$ENILAB_URL" -var "owner=$1" > "$work/plan.log" || code=$?
  if [ "$code" != 0 ]; then
    echo "the plan after owner=$1 is not clean (exit $code):"
    cat "$work/plan.log"
    return 1
  fi
}

# took LOG WHAT: how long Terraform says that something took.
took() { sed -n -E "s/^$2 after ([0-9hms]+).*/\1/p" "$work/$1" | sed -n 1p; }

# begin NAME: a folder of that name's files, ready for Terraform.
begin() {
  work=$CONTRACT_TMP/$1
  mkdir -p "$work"
  cp "$here/$1"/*.tf "$work"
  prepare "$work"
  export TF_CLI_CONFIG_FILE=$work/terraform.rc TF_IN_AUTOMATION=1 TF_DATA_DIR=$work/.terraform
  unset TF_PLUGIN_CACHE_DIR
  logged init.log init
  tf version -no-color | sed -n 1,3p
}

data() {
  begin terraform_data
  logged apply.log apply -auto-approve -var "endpoint=$ENILAB_URL"
  tf output -no-color
}

story() {
  begin terraform
  echo "- apply: the first instance owns the interface"
  change apply one
  clean one
  "$WITNESS" watch "$(tf output -raw client)" 10.77.1.42
  echo "- apply: the second owns it"
  change apply two
  echo "  the wait for the detachment took $(took apply-two.log 'aws_network_interface_attachment.service: Destruction complete'), the whole apply said:" \
    "$(grep '^Apply complete' "$work/apply-two.log")"
  clean two
  "$WITNESS" moved "$(tf output -raw eni)" "$(tf output -raw one)" "$(tf output -raw two)"
  echo "- destroy"
  change destroy two
}

fis() {
  begin terraform_fis
  local made
  echo "- apply, change, destroy: two templates"
  change apply one
  clean one
  made=$(tf output -json templates)
  change apply two
  clean two
  [ "$made" = "$(tf output -json templates)" ] || { echo "a change has made other templates than $made"; return 1; }
  change destroy two
}

case ${1:-} in
  provider) provider ;;
  prepare) prepare "$2" ;;
  story) story ;;
  data) data ;;
  fis) fis ;;
  *) sed -n '2,8p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
