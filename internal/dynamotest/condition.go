package dynamotest

import (
	"encoding/json"
	"strings"
)

// condition evaluates the part of DynamoDB's condition language that stores
// use: OR, AND, brackets, attribute_exists, attribute_not_exists, contains and
// comparisons of a text attribute with a value.
type condition struct {
	words  []string
	item   item
	names  map[string]string
	values map[string]string
	err    error
}

func holds(expression string, it item, names, values map[string]string) (bool, error) {
	c := &condition{item: it, names: names, values: values}
	spaced := expression
	for _, sign := range []string{"(", ")", ","} {
		spaced = strings.ReplaceAll(spaced, sign, " "+sign+" ")
	}
	c.words = strings.Fields(spaced)
	ok := c.or()
	if c.err == nil && len(c.words) > 0 {
		c.err = invalid("Invalid ConditionExpression: Syntax error; token: %q", c.words[0])
	}
	return ok, c.err
}

func (c *condition) next() string {
	if len(c.words) == 0 {
		c.err = invalid("Invalid ConditionExpression: it ends too early")
		return ""
	}
	w := c.words[0]
	c.words = c.words[1:]
	return w
}

func (c *condition) peek() string {
	if len(c.words) == 0 {
		return ""
	}
	return c.words[0]
}

func (c *condition) or() bool {
	ok := c.and()
	for c.peek() == "OR" && c.err == nil {
		c.next()
		right := c.and()
		ok = ok || right
	}
	return ok
}

func (c *condition) and() bool {
	ok := c.term()
	for c.peek() == "AND" && c.err == nil {
		c.next()
		right := c.term()
		ok = ok && right
	}
	return ok
}

func (c *condition) term() bool {
	switch w := c.next(); w {
	case "(":
		ok := c.or()
		c.next()
		return ok
	case "attribute_exists", "attribute_not_exists":
		c.next()
		_, there := c.item[c.name(c.next())]
		c.next()
		return there == (w == "attribute_exists")
	case "contains":
		c.next()
		s, there := c.text(c.next())
		c.next()
		part := c.values[c.next()]
		c.next()
		return there && strings.Contains(s, part)
	default:
		s, there := c.text(w)
		op := c.next()
		v := c.values[c.next()]
		if !there {
			return false
		}
		switch op {
		case "=":
			return s == v
		case "<=":
			return s <= v
		case "<":
			return s < v
		}
		c.err = invalid("Invalid ConditionExpression: Syntax error; token: %q", op)
		return false
	}
}

func (c *condition) name(w string) string {
	if n, ok := c.names[w]; ok {
		return n
	}
	return w
}

func (c *condition) text(w string) (string, bool) {
	raw, ok := c.item[c.name(w)]
	if !ok {
		return "", false
	}
	var v struct{ S *string }
	if err := json.Unmarshal(raw, &v); err != nil || v.S == nil {
		return "", false
	}
	return *v.S, true
}
