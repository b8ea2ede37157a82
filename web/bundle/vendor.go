package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Vendor is the content of vendor/VENDOR.json: the third-party modules that
// the page contains.
type Vendor struct {
	Packages []VendorPackage `json:"packages"`
}

// VendorPackage is one npm package of which files were taken.
type VendorPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	License string `json:"license"`
	// Integrity is the npm registry's hash of the whole tarball.
	Integrity string `json:"integrity"`
	// Dir is the folder under vendor/.
	Dir string `json:"dir"`
	// Imports maps a module specifier to a file of Dir.
	Imports map[string]string `json:"imports"`
	// Files maps each file of Dir to the hexadecimal SHA-256 of its bytes.
	Files map[string]string `json:"files"`
}

// ReadVendor reads VENDOR.json of the web folder dir.
func ReadVendor(dir string) (*Vendor, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "vendor", "VENDOR.json"))
	if err != nil {
		return nil, fmt.Errorf("read vendored modules: %w", err)
	}
	v := new(Vendor)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return nil, fmt.Errorf("parse vendor/VENDOR.json: %w", err)
	}
	return v, nil
}

// plugin resolves bare module names from vendor/ only, so that a node_modules
// folder beside the sources cannot change what is built.
func (v *Vendor) plugin(root string) api.Plugin {
	files := make(map[string]string)
	for _, p := range v.Packages {
		for specifier, file := range p.Imports {
			files[specifier] = filepath.Join(root, "vendor", p.Dir, file)
		}
	}
	return api.Plugin{Name: "vendor", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: `^[@a-z]`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Kind == api.ResolveEntryPoint {
				return api.OnResolveResult{}, nil
			}
			file, ok := files[args.Path]
			if !ok {
				return api.OnResolveResult{}, fmt.Errorf("module %q is not vendored: add it to scripts/vendor.mjs", args.Path)
			}
			return api.OnResolveResult{Path: file}, nil
		})
	}}
}

// licences joins the licence texts of everything that is part of the page.
func (v *Vendor) licences(root string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("Third-party code in this page\n")
	for _, p := range v.Packages {
		text, err := os.ReadFile(filepath.Join(root, "vendor", p.Dir, "LICENSE"))
		if err != nil {
			return nil, fmt.Errorf("read licence of %s: %w", p.Name, err)
		}
		fmt.Fprintf(&b, "\n--- %s %s (%s)\n\n%s\n", p.Name, p.Version, p.License, bytes.TrimSpace(text))
	}
	font, err := os.ReadFile(filepath.Join(root, "src", "ui", "fonts", "LICENSE.txt"))
	if err != nil {
		return nil, fmt.Errorf("read licence of the font: %w", err)
	}
	fmt.Fprintf(&b, "\n--- Pretendard Variable, subset of Hangul (OFL-1.1)\n\n%s\n", bytes.TrimSpace(font))
	return b.Bytes(), nil
}

func sortByPath(files []File) {
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}
