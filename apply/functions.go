package apply

import (
	"errors"
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// functions compiles the functions of on-demand views as serving will. Warnings are about those that
// banquet cannot compute; the error is about those that cannot work with their inputs.
func (a *Applier) functions(objects *registry.Objects) (warnings []error, err error) {
	project, err := objects.Compile(a.opt.Project)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, v := range objects.OnDemandFeatureViews {
		view, err := project.View(v.GetSpec().GetName())
		if err != nil {
			return nil, err
		}
		keys, others := project.FunctionKeys(view)
		p, err := transform.CompileFor(a.opt.Functions, v, keys, others)
		address, why := p.Remote()
		switch {
		case address != "":
			warnings = append(warnings, fault.New(fault.Unimplemented, "%s", a.placed(v, why, "is computed by the transformation service at "+address)).
				About("on-demand feature view", v.GetSpec().GetName(), a.opt.Project).Because(why))
		case err == nil:
		case fault.KindOf(err) == fault.Invalid:
			wrong = append(wrong, a.placed(v, err, notComputed))
		default:
			warnings = append(warnings, fault.New(fault.Unimplemented, "%s; requests for its features will be answered with 501 (UNIMPLEMENTED), all others are served", a.placed(v, err, notComputed)).
				About("on-demand feature view", v.GetSpec().GetName(), a.opt.Project).Because(err))
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(wrong, "\n"))
	}
	return warnings, nil
}

// notComputed is what errors of transform say.
const notComputed = "cannot be computed"

// placed is the text of an error about a function, with its file and line if they can be
// found. is replaces notComputed.
func (a *Applier) placed(v *core.OnDemandFeatureView, err error, is string) string {
	text := strings.Replace(fault.Of(err).Text, notComputed, is, 1)
	if at := a.expressionPlace(v.GetSpec().GetName(), err); at != "" {
		return at + ": " + text
	}
	var p *transform.PlaceError
	if a.opt.Locate == nil || !errors.As(err, &p) {
		return text
	}
	file, first := a.opt.Locate(transform.Source(v.GetSpec()))
	if file == "" {
		return text
	}
	return fmt.Sprintf("%s:%d: on-demand feature view %q %s: %s", file, first+p.Line-1, v.GetSpec().GetName(), is, p.Text)
}

// expressionPlace is the place of the expression that an error is about, or of its view;
// empty for a view with a function.
func (a *Applier) expressionPlace(view string, err error) string {
	var e *transform.ExpressionError
	if errors.As(err, &e) {
		if at := a.opt.Places[view+":"+e.Feature]; at != "" {
			return at
		}
	}
	return a.opt.Places[view]
}
