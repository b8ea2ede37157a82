package fis

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/unserved"
)

// Refuse answers a request that the server refuses before an API sees it, or while
// there is none yet, in FIS's own form. It reports whether the request is for FIS.
func Refuse(c *fiber.Ctx, status int, detail string) bool {
	if name, signed := unserved.SignedFor(c); !signed || name != SigningName {
		return false
	}
	c.Set(requestID, unserved.RequestID())
	return answerError(c, status, codeOf(status), detail) == nil
}

// codeOf names an HTTP status (AWS FIS API Reference, "Common errors").
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "AccessDeniedException"
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return codeUnavailable
	}
	if status >= http.StatusInternalServerError {
		return codeInternal
	}
	return "ValidationException"
}

func answerError(c *fiber.Ctx, status int, code, text string) error {
	c.Set("X-Amzn-Errortype", code)
	return c.Status(status).JSON(map[string]string{"message": text})
}
