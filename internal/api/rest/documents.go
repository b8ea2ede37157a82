package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"enilab/docs"
)

// Document is a page to read.
type Document struct {
	Name     string `json:"name"`
	Markdown string `json:"markdown" doc:"In English"`
}

type documentInput struct {
	Name string `path:"name" maxLength:"64"`
}

func (s *Server) documentOperations(api huma.API) {
	huma.Register(api, get("documents/{name}", "Read a document: differences, where the laboratory differs from AWS"), func(_ context.Context, in *documentInput) (*output[Document], error) {
		if in.Name != "differences" {
			return nil, missing("document", in.Name)
		}
		return &output[Document]{Body: Document{Name: in.Name, Markdown: docs.Differences}}, nil
	})
}
