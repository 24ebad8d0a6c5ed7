package feastpy

import "google.golang.org/protobuf/reflect/protoreflect"

// clearTimes removes what the objects of a registry say of their history:
// Feast's classes put the time of their making there, an apply puts its own.
func clearTimes(reg protoreflect.Message) {
	reg.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !f.IsList() || f.Message() == nil {
			return true
		}
		for i := range v.List().Len() {
			o := v.List().Get(i).Message()
			if meta := o.Descriptor().Fields().ByName("meta"); meta != nil {
				o.Clear(meta)
			}
		}
		return true
	})
}
