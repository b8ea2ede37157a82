package rest

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// answer is the usual end of an operation.
func answer[R, T any](r *R, err error, view func(*R) T) (*output[T], error) {
	if err != nil {
		return nil, problem(err)
	}
	return &output[T]{Body: view(r)}, nil
}

// found is the usual end of a read.
func found[R, T any](r *R, what, id string, view func(*R) T) (*output[T], error) {
	if r == nil {
		return nil, missing(what, id)
	}
	return &output[T]{Body: view(r)}, nil
}

func get(path, summary string) huma.Operation {
	return operation(http.MethodGet, path, summary, http.StatusOK)
}

func create(path, summary string) huma.Operation {
	return operation(http.MethodPost, path, summary, http.StatusCreated)
}

func act(path, summary string) huma.Operation {
	return operation(http.MethodPost, path, summary, http.StatusOK)
}

func replace(path, summary string) huma.Operation {
	return operation(http.MethodPut, path, summary, http.StatusOK)
}

func remove(path, summary string) huma.Operation {
	return operation(http.MethodDelete, path, summary, http.StatusNoContent)
}

func operation(method, path, summary string, status int) huma.Operation {
	return huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: "/" + path,
		Summary: summary, DefaultStatus: status, Tags: []string{firstSegment(path)},
	}
}

// operationID is stable and unique: the method and the path in kebab case.
func operationID(method, path string) string {
	path = strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(path)
	return strings.ToLower(method) + "-" + path
}

func firstSegment(path string) string {
	segment, _, _ := strings.Cut(path, "/")
	return segment
}

// documentPlainRoutes adds what huma does not serve: streams whose bodies never
// end or are too large to hold.
func documentPlainRoutes(doc *huma.OpenAPI) {
	id := &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
	query := func(name, text string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: text, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	plain := func(path, summary, status, text, media string, params ...*huma.Param) {
		r := &huma.Response{Description: text}
		if media != "" {
			r.Content = map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		}
		doc.AddOperation(&huma.Operation{
			OperationID: operationID(http.MethodGet, path), Method: http.MethodGet, Path: "/" + path,
			Summary: summary, Tags: []string{firstSegment(path)}, Parameters: params,
			Responses: map[string]*huma.Response{status: r},
		})
	}
	plain("captures/{id}/pcapng", "Download a capture, also while it records", "200",
		"What the capture holds now; each frame's comment is its verdict", formatPcapNg.media, id,
		query("from", "Only frames from this instant on, Unix nanoseconds"), query("to", "Only frames up to this instant, Unix nanoseconds"))
	plain("captures/{id}/pcap", "Download a capture as classic pcap", "200",
		"What the capture holds now", formatPcap.media, id)
	name := &huma.Param{Name: "name", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
	plain("snapshots/{name}/database", "Download a snapshot", "200",
		"An SQLite database, which enilab serve --from begins another laboratory with", mediaDatabase, name)
	plain("rehearsals/{id}/pcapng", "Download the frames of a drill that has ended", "200",
		"All frames of the run; each frame's comment is its verdict", formatPcapNg.media, id)
	plain("trials/{id}/report", "The report of a trial's results, as a page", "200",
		"The page of enilab run --report, without captures", "text/html", id)
	plain("scenario", "Save the laboratory as a scenario file", "200",
		"A scenario from which an equal laboratory is built; comments at its head say what it has no word for", mediaYAML,
		query("region", "Default: the server's"), query("description", "What the file says of itself"))
	plain("live.pcapng", "Frames as they pass, for tshark -i -", "200", "An endless pcapng file", formatPcapNg.media,
		query("networkInterfaceId", "Only this interface"), query("instanceId", "Only this instance's interfaces"),
		query("filter", "A pcap-filter expression"), query("points", "Tap points, separated by commas; default all"))
	plain("stream", "Websocket of packets, counts and events", "101",
		"Text messages are JSON; binary messages are packet records and bins", "",
		query("version", "The protocol version the client speaks: 1"),
		query("epoch", "Of the last hello"), query("cursor", "The next packet wanted"),
		query("eventSeq", "The last event seen"))
}

// headed is a router on which every GET is answered to HEAD too, as HTTP wants
// it (RFC 9110, section 9.1): fiber does so for its own Get, and not for Add.
type headed struct{ fiber.Router }

// Add implements fiber.Router.
func (h headed) Add(method, path string, handlers ...fiber.Handler) fiber.Router {
	if method == fiber.MethodGet {
		h.Router.Add(fiber.MethodHead, path, handlers...)
	}
	return h.Router.Add(method, path, handlers...)
}
