package transform

import "strings"

// computed reports whether members of a module may be computed.
func computed(module string) bool {
	switch module {
	case "numpy", "pandas", "math", "datetime", "time":
		return true
	}
	return known(module)
}

// known reports whether a dotted name is a member of a module, or begins one.
func known(full string) bool {
	if _, ok := member(full); ok {
		return true
	}
	for name := range moduleFuncs {
		if strings.HasPrefix(name, full+".") {
			return true
		}
	}
	return false
}

// imports makes the names of an import known. What is not computed is an error only
// where the function uses it.
func (c *compiler) imports(at int, module, item, name string) {
	full := module
	if item != "" {
		full += "." + item
	}
	if name == "" {
		name, _, _ = strings.Cut(module, ".")
		full = name
	}
	c.modules[name] = full
	if item == "*" {
		c.fail(at, outside("from %s import * is not supported", module))
	}
	if !computed(module) {
		c.foreign[full] = place(outside("module %s is not supported", module), at)
	}
}

// unknown is the error of a name of a module that is not computed.
func (c *compiler) unknown(at int, name string) code {
	for part := name; part != ""; {
		if err, ok := c.foreign[part]; ok {
			c.fail(at, err)
			break
		}
		i := strings.LastIndexByte(part, '.')
		part = part[:max(0, i)]
	}
	return c.bad(at, "%s is not supported", name)
}
