package transform

import (
	"encoding/json"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Expression is the CEL expression of a feature.
type Expression struct {
	Feature, Text string
}

const (
	// expressionsMark starts the text of every view with expressions; the rest of its
	// first line is the version of the form.
	expressionsMark  = "# banquet: CEL expressions, form "
	expressionsForm  = "1"
	expressionsStart = "\nEXPRESSIONS = "
)

// ExpressionsFunction is the function of a view with expressions, as the registry
// stores it: Python that Feast can load and show, and whose call says that only
// banquet computes it. The expressions are a JSON object, which is a dict of Python, too.
func ExpressionsFunction(view string, list []Expression) *core.UserDefinedFunctionV2 {
	var b strings.Builder
	b.WriteString(expressionsMark + expressionsForm + expressionsStart + "{\n")
	for i, e := range list {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("    " + quoted(e.Feature) + ": " + quoted(e.Text))
	}
	b.WriteString("\n}\n\n\ndef expressions(inputs):\n    raise NotImplementedError(" +
		quoted("on-demand feature view "+view+" has CEL expressions, which banquet computes and Feast does not") + ")\n")
	return &core.UserDefinedFunctionV2{Name: "expressions", BodyText: b.String(), Mode: "python"}
}

// quoted is a string literal of both JSON and Python.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// HasExpressions reports whether a view has expressions instead of a function.
func HasExpressions(spec *core.OnDemandFeatureViewSpec) bool {
	return strings.HasPrefix(spec.GetFeatureTransformation().GetUserDefinedFunction().GetBodyText(), expressionsMark)
}

// expressions reads the expressions of a view, in the order of its features.
func (p *Program) expressions(spec *core.OnDemandFeatureViewSpec) ([]Expression, error) {
	text := strings.TrimPrefix(spec.GetFeatureTransformation().GetUserDefinedFunction().GetBodyText(), expressionsMark)
	form, _, _ := strings.Cut(text, "\n")
	_, rest, _ := strings.Cut(text, expressionsStart)
	if form != expressionsForm {
		return nil, p.error(fault.Unimplemented, "has expressions in form "+oneLine(form)+"; this banquet knows form "+expressionsForm)
	}
	var texts map[string]string
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&texts); err != nil {
		return nil, p.error(fault.Invalid, "has expressions that cannot be read; apply it again").Because(err)
	}
	list := make([]Expression, 0, len(spec.GetFeatures()))
	for _, f := range spec.GetFeatures() {
		text, ok := texts[f.GetName()]
		if !ok {
			return nil, p.error(fault.Invalid, "has no expression for feature \""+f.GetName()+"\"; apply it again")
		}
		list = append(list, Expression{f.GetName(), text})
	}
	return list, nil
}
