package feastpy

import "google.golang.org/protobuf/reflect/protoreflect"

// clearTimes removes the times from the objects of a registry: Feast's classes
// set them on creation, an apply sets its own.
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
