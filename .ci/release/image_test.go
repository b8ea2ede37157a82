package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// ociImages unpacks the layout and returns its images by architecture.
func ociImages(t *testing.T) map[string]v1.Image {
	t.Helper()
	dir := t.TempDir()
	untar(t, open(t, "enilab_"+plainName+"_image.oci.tar"), dir)
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	top, err := outer.IndexManifest()
	if err != nil || len(top.Manifests) != 1 || top.Manifests[0].MediaType != types.OCIImageIndex {
		t.Fatalf("index.json lists %+v, %v; want one index", top, err)
	}
	if got := top.Manifests[0].Annotations["io.containerd.image.name"]; got != "docker.io/library/enilab:"+plainName {
		t.Errorf("the image's name is %q", got)
	}
	index, err := outer.ImageIndex(top.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Errorf("the index: %v", err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]v1.Image{}
	for _, m := range list.Manifests {
		if m.MediaType != types.OCIManifestSchema1 || m.Platform.OS != "linux" {
			t.Errorf("the index lists %+v", m)
		}
		if images[m.Platform.Architecture], err = index.Image(m.Digest); err != nil {
			t.Fatal(err)
		}
	}
	if got := slices.Sorted(maps.Keys(images)); !slices.Equal(got, []string{"amd64", "arm64"}) {
		t.Fatalf("the index has %v", got)
	}
	return images
}

func TestImages(t *testing.T) {
	for arch, img := range ociImages(t) {
		t.Run(arch, func(t *testing.T) {
			c, err := img.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if c.OS != "linux" || c.Architecture != arch || !c.Created.Time.Equal(testTime) {
				t.Errorf("it is of %v for %s/%s", c.Created, c.OS, c.Architecture)
			}
			if want := imageConfig(testVersion); !reflect.DeepEqual(c.Config, want) {
				t.Errorf("its config is %+v, want %+v", c.Config, want)
			}
			root := t.TempDir()
			flat := mutate.Extract(img)
			defer flat.Close()
			headers := untar(t, flat, root)
			want := []string{"data", "enilab", "etc", "etc/group", "etc/passwd", "licenses", "licenses/LICENSE", "licenses/NOTICE", "licenses/" + thirdParty}
			if got := slices.Sorted(maps.Keys(headers)); !slices.Equal(got, want) {
				t.Errorf("it holds %v, want %v", got, want)
			}
			for name, h := range headers {
				owner := 0
				if name == "data" {
					owner = nobody
				}
				if h.Uid != owner || h.Gid != owner || !h.ModTime.Equal(testTime) || h.Mode&0o022 != 0 {
					t.Errorf("%s is of %v by %d:%d, mode %o", name, h.ModTime, h.Uid, h.Gid, h.Mode)
				}
			}
			isFor(t, filepath.Join(root, "enilab"), target{"linux", arch})
			hasLicences(t, filepath.Join(root, "licenses", thirdParty))
			passwd, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
			if err != nil || !strings.Contains(string(passwd), fmt.Sprintf("\nnonroot:x:%d:%d:", nobody, nobody)) {
				t.Errorf("/etc/passwd is %q, %v", passwd, err)
			}
			sameInDockersForm(t, img, arch)
		})
	}
}

// sameInDockersForm checks the archive for `docker load`.
func sameInDockersForm(t *testing.T, img v1.Image, arch string) {
	t.Helper()
	path := filepath.Join(dist(t), "enilab_"+plainName+"_image_linux_"+arch+".docker.tar")
	loaded, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(loaded); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	a, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := loaded.ConfigName(); err != nil || a != b {
		t.Errorf("%s is the image %v, %v; the OCI layout's is %v", path, b, err, a)
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil || len(manifest) != 1 || !slices.Equal(manifest[0].RepoTags, []string{"enilab:" + plainName}) {
		t.Errorf("%s would be loaded as %+v, %v", path, manifest, err)
	}
}

// TestTheImageRuns starts it as a container runtime does, from what its config
// says: own network, own root, its user, its command, and its health check.
func TestTheImageRuns(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		unchecked(t, "the image in a root of its own: only root on Linux may make one")
		return
	}
	for _, name := range []string{"unshare", "ip", "chroot"} {
		if _, ok := tool(t, name); !ok {
			return
		}
	}
	img := ociImages(t)[runtime.GOARCH]
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	flat := mutate.Extract(img)
	defer flat.Close()
	for name, h := range untar(t, flat, root) {
		if err := os.Chown(filepath.Join(root, name), h.Uid, h.Gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	script := `set -eu
root=$1 user=$2; shift 2
ip link set lo up
mkfifo "$root/../line"
chroot=$(command -v chroot)
in_image() { env -i "$chroot" --userspec="$user" "$root" "$@"; }
if in_image /enilab health 2>/dev/null; then echo "healthy before it runs"; exit 1; fi
env -i "$chroot" --userspec="$user" "$root" "$@" > "$root/../line" &
server=$!
trap 'kill $server; wait $server' EXIT
exec 3< "$root/../line"
while read -r line <&3; do
  echo "$line"
  [ "$line" != Ready. ] || break
done
in_image ` + strings.Join(c.Config.Healthcheck.Test[1:], " ") + `
`
	cmd := exec.CommandContext(t.Context(), "unshare", slices.Concat(
		[]string{"--net", "sh", "-c", script, "sh", root, c.Config.User}, c.Config.Entrypoint, c.Config.Cmd)...)
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "enilab is at http://") || !strings.HasSuffix(strings.TrimSpace(string(out)), "\nok") {
		t.Errorf("it said %v and\n%s", err, out)
	}
	if info, err := os.Stat(filepath.Join(root, "data", "enilab.db")); err != nil {
		t.Errorf("the volume has no database: %v, %v; %v", info, err, entries(t, filepath.Join(root, "data")))
	}
}

// TestTheDockerfileSaysTheSame reads the Dockerfile's last stage.
func TestTheDockerfileSaysTheSame(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sourceRoot, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	_, last, ok := strings.Cut(string(text), "\nFROM scratch\n")
	if !ok || strings.Contains(last, "\nFROM ") {
		t.Fatal("the Dockerfile's last stage is not FROM scratch")
	}
	got := v1.Config{ExposedPorts: map[string]struct{}{}, Volumes: map[string]struct{}{}, Labels: map[string]string{}, WorkingDir: "/"}
	var places []string
	for line := range strings.Lines(last) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "", "#", "ARG":
		case "COPY":
			fields := strings.Fields(rest)
			places = append(places, fields[len(fields)-1])
		case "USER":
			got.User = rest
		case "EXPOSE":
			got.ExposedPorts[rest+"/tcp"] = struct{}{}
		case "VOLUME":
			got.Volumes[rest] = struct{}{}
		case "ENTRYPOINT":
			got.Entrypoint = words(t, rest)
		case "CMD":
			got.Cmd = words(t, rest)
		case "LABEL":
			key, value, _ := strings.Cut(rest, "=")
			got.Labels[key] = strings.ReplaceAll(strings.Trim(value, `"`), "${VERSION}", testVersion)
		case "HEALTHCHECK":
			flags, test, _ := strings.Cut(rest, " CMD ")
			got.Healthcheck = &v1.HealthConfig{Test: append([]string{"CMD"}, words(t, test)...)}
			for _, m := range regexp.MustCompile(`--(\S+)=(\S+)`).FindAllStringSubmatch(flags, -1) {
				d, err := time.ParseDuration(m[2])
				if err != nil {
					t.Fatal(err)
				}
				switch m[1] {
				case "interval":
					got.Healthcheck.Interval = d
				case "timeout":
					got.Healthcheck.Timeout = d
				case "start-period":
					got.Healthcheck.StartPeriod = d
				default:
					t.Errorf("HEALTHCHECK has --%s, which this test does not know", m[1])
				}
			}
		default:
			t.Errorf("the Dockerfile has %s, which this test does not know", word)
		}
	}
	if want := imageConfig(testVersion); !reflect.DeepEqual(got, want) {
		t.Errorf("the Dockerfile says\n%+v %+v\nthe image\n%+v %+v", got, got.Healthcheck, want, want.Healthcheck)
	}
	if want := []string{"/etc", "/licenses/", "/data", "/enilab"}; !slices.Equal(places, want) {
		t.Errorf("the Dockerfile copies to %v, want %v", places, want)
	}
	if build := `go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}"`; !strings.Contains(string(text), build) {
		t.Errorf("the Dockerfile does not build with %s, as a release does", build)
	}
}

func words(t *testing.T, list string) (words []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(list), &words); err != nil {
		t.Fatalf("%s is no list of strings: %v", list, err)
	}
	return words
}
