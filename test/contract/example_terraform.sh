#!/usr/bin/env bash
# Runs docs/examples/terraform as its head says, with the installed provider.
# run.sh gives CONTRACT_TMP and the credentials.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$CONTRACT_TMP/example
mkdir -p "$work"
cp "$here"/../../docs/examples/terraform/*.tf "$work"
bash "$here/terraform.sh" prepare "$work"
export TF_CLI_CONFIG_FILE=$work/terraform.rc TF_IN_AUTOMATION=1 TF_INPUT=0
unset TF_PLUGIN_CACHE_DIR
cd "$work"
quiet() { "$@" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
quiet terraform init -no-color
quiet terraform apply -no-color -auto-approve
active=$(terraform output -raw owner) address=$(terraform output -raw address)
quiet terraform apply -no-color -auto-approve -var owner=standby
standby=$(terraform output -raw owner)
[ "$active" != "$standby" ] || { echo "the owner has not changed"; exit 1; }
[ "$address" = "$(terraform output -raw address)" ] || { echo "the address has changed from $address"; exit 1; }
echo "$address went from $active to $standby"
quiet terraform destroy -no-color -auto-approve -var owner=standby
