// Package docs has the documents that the server shows on its page, as files of the binary.
package docs

import _ "embed" // differences.md

// Differences is where the laboratory differs from AWS, as Markdown.
//
//go:embed differences.md
var Differences string
