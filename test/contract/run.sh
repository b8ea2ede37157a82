#!/usr/bin/env bash
# The contract: unmodified AWS clients tell one story to a laboratory of this
# tree, each to a fresh one: a VPC with everything in it, an interface that
# moves, its frames too, everything deleted. Those that have a trade of their
# own (fencing, pods' addresses) ply it. `run.sh cli boto3` runs these only;
# docs/clients.md says what each drives.
# A client that is not installed is said to be MISSING; with CI set only
# Terraform, which Debian does not have, may be.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
GO=${GO:-go}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/enilab-contract-XXXXXX")
server=
cleanup() {
  stop
  rm -rf "$tmp"
}
stop() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# What the clients would otherwise read of the machine's own configuration.
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_EC2 AWS_ENDPOINT_URL_STS
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
export WITNESS=$tmp/witness CONTRACT_TMP=$tmp GO

bin=${ENILAB_BIN:-$tmp/enilab}
if [ -z "${ENILAB_BIN:-}" ]; then (cd "$root" && CGO_ENABLED=0 "$GO" build -trimpath -o "$bin" ./cmd/server); fi
export ENILAB_BIN=$bin
(cd "$here/witness" && CGO_ENABLED=0 "$GO" build -o "$WITNESS" .)

# start: a fresh laboratory on a port of the system's choice.
start() {
  rm -rf "$tmp/data"
  exec 3< <(exec "$bin" serve --listen 127.0.0.1:0 --data "$tmp/data" 2>"$tmp/server.log")
  server=$!
  local line=
  read -r -t 60 line <&3 || true
  case $line in
    "enilab is at "*) ENILAB_URL=${line#enilab is at }; export ENILAB_URL=${ENILAB_URL%/} AWS_ENDPOINT_URL=${ENILAB_URL%/} ;;
    *) echo "enilab did not start: $line" >&2; cat "$tmp/server.log" >&2; exit 1 ;;
  esac
  read -r -t 60 line <&3 || true
  [ "$line" = Ready. ] || { echo "enilab did not get ready: $line" >&2; cat "$tmp/server.log" >&2; exit 1; }
}

# found: the first python3 that has boto3.
python_with_boto3() {
  local p
  while read -r p; do
    if "$p" -c 'import boto3' 2>/dev/null; then echo "$p"; return; fi
  done < <(type -ap python3)
  return 1
}

# Each part has a check of what it needs, and a command.
needs_cli() { command -v aws >/dev/null || { echo "the AWS CLI (awscli)"; return 1; }; }
part_cli() { aws --version; bash "$here/cli.sh"; }

needs_boto3() { python_with_boto3 >/dev/null || { echo "boto3 (python3-boto3)"; return 1; }; }
part_boto3() {
  local python; python=$(python_with_boto3)
  "$python" -c 'import boto3; print("boto3", boto3.__version__)'
  "$python" -B "$here/boto3_story.py"
}

needs_fis() { needs_boto3; }
part_fis() { "$(python_with_boto3)" -B "$here/fis_story.py"; }

needs_sdk() { (cd "$here/sdk" && "$GO" mod download 2>/dev/null) || { echo "aws-sdk-go-v2 (go mod download in test/contract/sdk)"; return 1; }; }
part_sdk() { (cd "$here/sdk" && "$GO" list -m -f '{{.Path}} {{.Version}}' github.com/aws/aws-sdk-go-v2/service/ec2 && "$GO" test -count 1 -v .); }

# A laboratory in the test's process: that of run.sh is not asked.
needs_inprocess() { (cd "$here/inprocess" && "$GO" mod download 2>/dev/null) || { echo "aws-sdk-go-v2 (go mod download in test/contract/inprocess)"; return 1; }; }
part_inprocess() { cd "$here/inprocess" && "$GO" vet . && "$GO" test -count 1 -v .; }

# The plugin's graph is Kubernetes': the first build takes minutes of processor time.
needs_cni() { (cd "$here/cni" && "$GO" list -deps -test . >/dev/null 2>&1) || { echo "amazon-vpc-cni-k8s (go mod download in test/contract/cni)"; return 1; }; }
part_cni() {
  export AWS_VPC_K8S_CNI_LOG_FILE=$CONTRACT_TMP/cni.log
  cd "$here/cni"
  "$GO" list -m -f '{{.Path}} {{.Version}}' github.com/aws/amazon-vpc-cni-k8s
  "$GO" test -count 1 -v . || { tail -n 40 "$AWS_VPC_K8S_CNI_LOG_FILE" >&2; return 1; }
}

needs_terraform() {
  command -v terraform >/dev/null || { echo "Terraform"; return 1; }
  bash "$here/terraform.sh" provider >/dev/null 2>&1 ||
    { echo "Terraform's AWS provider, in a mirror folder (name it in ENILAB_TF_PLUGIN_DIR)"; return 1; }
}
part_terraform() { bash "$here/terraform.sh" story; }
needs_terraform_data() { needs_terraform; }
part_terraform_data() { bash "$here/terraform.sh" data; }
needs_terraform_fis() { needs_terraform; }
part_terraform_fis() { bash "$here/terraform.sh" fis; }

needs_ansible() {
  # Debian's package brings the collection, and boto3 for Debian's Python by python3-boto3.
  { command -v ansible-playbook >/dev/null && ansible-galaxy collection list amazon.aws 2>/dev/null | grep '^amazon.aws' >/dev/null &&
    /usr/bin/python3 -c 'import boto3' 2>/dev/null; } || { echo "Ansible with amazon.aws (ansible, python3-boto3)"; return 1; }
}
part_ansible() {
  # To their ends: Ansible reports a closed pipe as its own bug.
  ansible-playbook --version | sed -n 1p
  ansible-galaxy collection list amazon.aws 2>/dev/null | grep '^amazon.aws'
  bash "$here/ansible.sh"
}

needs_fence() {
  needs_cli || return 1
  PATH=$PATH:/usr/sbin command -v fence_aws >/dev/null || { echo "fence_aws (fence-agents)"; return 1; }
}
part_fence() {
  export PATH=$PATH:/usr/sbin # where Debian has the agents
  echo "fence_aws $(fence_aws --version)"
  bash "$here/fence.sh"
}

# Debian installs its Python modules for Debian's Python, which need not be the first.
python_with_libcloud() {
  local p
  for p in $(type -ap python3) /usr/bin/python3; do
    if "$p" -c 'import libcloud.compute.drivers.ec2' 2>/dev/null; then echo "$p"; return; fi
  done
  return 1
}
needs_libcloud() { python_with_libcloud >/dev/null || { echo "Apache Libcloud (python3-libcloud)"; return 1; }; }
part_libcloud() {
  local python; python=$(python_with_libcloud)
  "$python" -c 'import libcloud; print("libcloud", libcloud.__version__)'
  "$python" -B "$here/libcloud_story.py"
}

# The plugin of clients/python, whose tests start their own servers.
python_with_pytest() {
  local p
  for p in $(type -ap python3) /usr/bin/python3; do
    if "$p" -c 'import boto3, pytest' 2>/dev/null; then echo "$p"; return; fi
  done
  return 1
}
needs_pytest() { python_with_pytest >/dev/null || { echo "pytest and boto3 for one Python (python3-pytest, python3-pytest-xdist, python3-boto3)"; return 1; }; }
part_pytest() {
  local python; python=$(python_with_pytest)
  "$python" -c 'import boto3, pytest; print("pytest", pytest.__version__, "boto3", boto3.__version__)'
  cd "$root/clients/python"
  PYTHONPATH=$PWD "$python" -B -m pytest -p enilab_pytest.plugin -p no:cacheprovider -q -rs
}

# The examples of docs/ are held to what they promise by the same clients.
needs_example_cli() { needs_cli; }
part_example_cli() { bash "$root/docs/examples/cli/failover.sh"; }
needs_example_boto3() { needs_boto3; }
part_example_boto3() { "$(python_with_boto3)" -B "$root/docs/examples/boto3/failover.py"; }
needs_example_terraform() { needs_terraform; }
part_example_terraform() { bash "$here/example_terraform.sh"; }

passed=0 failed=0 skipped=0
all="cli boto3 fis sdk inprocess cni libcloud terraform terraform_data terraform_fis ansible fence pytest example_cli example_boto3 example_terraform"
for part in ${*:-$all}; do
  echo "== contract: $part"
  if ! missing=$("needs_$part"); then
    echo "MISSING: $part was not run, for want of $missing"
    if [ -n "${CI:-}" ] && [ "${part#*terraform}" = "$part" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    continue
  fi
  start
  before=$("$WITNESS" inventory)
  begun=$SECONDS
  # Not in an if: set -e must hold within the part.
  set +e
  (set -e; "part_$part")
  status=$?
  set -e
  after=$("$WITNESS" inventory) || after="no answer"
  if [ "$status" = 0 ] && [ "$before" != "$after" ]; then
    echo "left behind: before $before, after $after"
    status=1
  fi
  stop
  if [ "$status" = 0 ]; then
    echo "PASSED: $part in $((SECONDS - begun)) s"
    passed=$((passed + 1))
  else
    echo "FAILED: $part"
    echo "-- the laboratory's log:"; cat "$tmp/server.log"
    failed=$((failed + 1))
  fi
done
echo "contract: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
