// Package openapi holds the REST description that is generated from proto/.
package openapi

import _ "embed"

// Document is a Swagger 2.0 document in JSON.
//
//go:embed banquet.swagger.json
var Document []byte
