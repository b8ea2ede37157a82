package store

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"enilab/internal/control"
)

// unpacked is the database of a name in testdata, as the program of then left
// it, in a folder of its own.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Up to schema 20 a root volume was derived from its instance. schema20.db.gz
// was written by the program of then: six launches with root volumes of all
// sorts, one of which shuts down. They have to come back as they were shown.
func TestRootVolumesBecomeRows(t *testing.T) {
	s := open(t, unpacked(t, "schema20.db.gz"))
	at := func(ns int64) time.Time { return time.Unix(0, ns).UTC() }
	const image = "ami-0123456789abcdef0"
	gp3 := control.VolumeSpec{Size: 8, Type: "gp3", IOPS: 3000, Throughput: 125, Image: image}
	want := map[string]*control.Volume{}
	for _, v := range []struct {
		digits   string
		launched int64
		state    control.AttachmentState
		spec     control.VolumeSpec
		keep     bool
		tags     control.Tags
	}{
		{"06c3a600e09e26d4e", 1795993501858038316, control.Attaching, gp3, false, nil},
		{"01dce5263b41f834c", 1795993503231923589, control.Attached, control.VolumeSpec{Size: 100, Type: "gp2", IOPS: 300, Image: image}, false, nil},
		{"01b1e2a2b84223848", 1795993503975084896, control.Attached, gp3, false, nil},
		{"0598cfdd3800fc9f1", 1795993504769275492, control.Attached,
			control.VolumeSpec{Size: 50, Type: "gp3", IOPS: 4000, Throughput: 500, Image: image}, false, nil},
		{"048ea5ce9e28adf14", 1795993505509237407, control.Attached, control.VolumeSpec{Size: 8, Type: "standard", Image: image}, false, nil},
		{"0ad5b5ea304f0dc68", 1795993522778042274, control.Attaching,
			control.VolumeSpec{Size: 30, Type: "io2", IOPS: 500, Encrypted: true, Image: image}, true, control.Tags{"Name": "root", `a"b`: "é"}},
	} {
		id := "vol-" + v.digits
		want[id] = &control.Volume{
			ID: id, Region: "us-east-1", Zone: "us-east-1f", VolumeSpec: v.spec, State: control.VolumeInUse, StateAt: at(v.launched),
			Attachments: []control.VolumeAttachment{{
				Instance: "i-" + v.digits, Device: "/dev/xvda", State: v.state, AttachTime: at(v.launched), DeleteOnTermination: !v.keep,
			}},
			Tags: v.tags, CreatedAt: at(v.launched),
		}
	}
	found := 0
	for _, c := range load(t, s).Changes {
		if v, ok := c.After.(*control.Volume); ok {
			found++
			if got, want := fmt.Sprintf("%+v", v), fmt.Sprintf("%+v", want[v.ID]); got != want {
				t.Errorf("%s\n  is  %s\n want %s", v.ID, got, want)
			}
		}
	}
	if found != len(want) {
		t.Errorf("%d volumes, want %d", found, len(want))
	}
	if left := texts(t, s, `SELECT id FROM instances WHERE settings LIKE '%RootVolume%' OR settings LIKE '%VolumeTags%'`); len(left) != 0 {
		t.Errorf("settings of %v still hold volumes", left)
	}
}

// Terminated instances had no volume, and one of times before SQLite's dates or
// without a time has to survive too.
func TestRootVolumesOfOddInstances(t *testing.T) {
	path, pool := older(t, 20)
	for _, row := range []string{"'i-1', 'terminated', 5", "'i-2', 'stopped', NULL", "'i-3', 'stopping', 1000000001"} {
		if _, err := pool.ExecContext(t.Context(), `INSERT INTO instances (id, state, launch_at, region, zone, vpc, subnet, type, boot, fault,
			reason_code, reason_text, settings) VALUES (`+row+`, '', '', '', '', '', 0, '', '', '', '{}')`); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	at := make(map[string]time.Time)
	for _, c := range load(t, open(t, filepath.Dir(path))).Changes {
		if v, ok := c.After.(*control.Volume); ok {
			at[v.ID] = v.CreatedAt
			if v.Image != control.NoImage || v.Attachments[0].State != control.Attached {
				t.Errorf("%+v", v)
			}
		}
	}
	if len(at) != 2 || !at["vol-2"].IsZero() || !at["vol-3"].Equal(time.Unix(1, 1)) {
		t.Errorf("volumes at %v", at)
	}
}
