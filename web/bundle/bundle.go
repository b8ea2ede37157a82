// Package bundle builds the dashboard from its TypeScript sources with
// esbuild's Go API. It needs neither Node nor a network: third-party modules
// come from vendor/, as VENDOR.json lists them. It does not check types; tsc
// does that where Node exists.
package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// File is one file of the built page.
type File struct {
	// Path is relative to the site's root, with forward slashes.
	Path string
	Body []byte
}

// Options chooses between the committed build and a build for development.
type Options struct {
	// Development keeps names and adds an inline source map.
	Development bool
}

// static lists what is copied as it is, source relative to the web folder.
var static = []struct{ from, to string }{
	{"src/index.html", "index.html"},
	{"src/ui/icon.svg", "assets/icon.svg"},
	{"src/ui/fonts/eni-ko.woff2", "assets/eni-ko.woff2"},
}

// Build bundles the page whose web folder is dir. The result is a function of
// the files alone, ordered by path, so that it can be compared byte by byte.
func Build(dir string, opts Options) ([]File, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve web folder: %w", err)
	}
	vendored, err := ReadVendor(root)
	if err != nil {
		return nil, err
	}

	build := api.BuildOptions{
		AbsWorkingDir: root,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "src/main.tsx", OutputPath: "app"},
			{InputPath: "src/boot.ts", OutputPath: "boot"},
		},
		Outdir: "dist/assets",
		// Each language's catalog is a chunk of its own.
		Splitting:         true,
		ChunkNames:        "[name]-[hash]",
		Bundle:            true,
		Write:             false,
		Platform:          api.PlatformBrowser,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		JSX:               api.JSXAutomatic,
		JSXImportSource:   "preact",
		LegalComments:     api.LegalCommentsNone,
		MinifyIdentifiers: !opts.Development,
		MinifySyntax:      !opts.Development,
		MinifyWhitespace:  !opts.Development,
		External:          []string{"/assets/*"},
		LogLevel:          api.LogLevelSilent,
		Plugins:           []api.Plugin{vendored.plugin(root)},
		// The folder's tsconfig.json serves the editor and tsc; ignoring it
		// here keeps the output independent of what stands beside the sources.
		TsconfigRaw: `{}`,
	}
	if opts.Development {
		build.Sourcemap = api.SourceMapInline
	}
	result := api.Build(build)
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("bundle dashboard: %w", joinMessages(result.Errors))
	}

	var files []File
	for _, out := range result.OutputFiles {
		files = append(files, File{Path: "assets/" + filepath.Base(out.Path), Body: out.Contents})
	}
	for _, s := range static {
		body, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(s.from)))
		if err != nil {
			return nil, fmt.Errorf("read page file: %w", err)
		}
		files = append(files, File{Path: s.to, Body: body})
	}
	licences, err := vendored.licences(root)
	if err != nil {
		return nil, err
	}
	files = append(files, File{Path: "assets/licences.txt", Body: licences})
	sortByPath(files)
	return files, nil
}

func joinMessages(messages []api.Message) error {
	lines := make([]string, 0, len(messages))
	for _, m := range messages {
		if m.Location == nil {
			lines = append(lines, m.Text)
			continue
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", m.Location.File, m.Location.Line, m.Location.Column+1, m.Text))
	}
	return errors.New(strings.Join(lines, "\n"))
}
