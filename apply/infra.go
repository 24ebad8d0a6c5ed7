package apply

import (
	"strings"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// sqliteTable is Feast's class for a table in the infrastructure.
const sqliteTable = "feast.infra.online_stores.sqlite.SqliteTable"

// recordInfra lists the online tables of the project in the registry, as Feast does for
// SQLite: Feast's plan uses the list. Tables of other projects are kept.
func (a *Applier) recordInfra(reg *core.Registry) {
	if a.opt.SQLite == "" {
		return
	}
	infra := &core.Infra{}
	infra.ProtoReflect().SetUnknown(reg.GetInfra().ProtoReflect().GetUnknown())
	others := map[string]bool{} // those of project shop_eu begin like those of shop
	listedTables(reg, func(project, name string) { others[name] = others[name] || project != a.opt.Project })
	for _, o := range reg.GetInfra().GetInfraObjects() {
		name := o.GetSqliteTable().GetName()
		if others[name] || !strings.HasPrefix(name, a.opt.Project+"_") {
			infra.InfraObjects = append(infra.InfraObjects, o)
		}
	}
	listedTables(reg, func(project, name string) {
		if project != a.opt.Project {
			return
		}
		infra.InfraObjects = append(infra.InfraObjects, &core.InfraObject{
			InfraObjectClassType: sqliteTable,
			InfraObject:          &core.InfraObject_SqliteTable{SqliteTable: &core.SqliteTable{Path: a.opt.SQLite, Name: name}},
		})
	})
	reg.Infra = infra
}

// listedTables calls do for each table of SQLite that Feast lists, with its project.
func listedTables(reg *core.Registry, do func(project, name string)) {
	for _, v := range reg.GetFeatureViews() {
		do(v.GetSpec().GetProject(), v.GetSpec().GetProject()+"_"+v.GetSpec().GetName())
	}
	for _, v := range reg.GetStreamFeatureViews() {
		do(v.GetSpec().GetProject(), v.GetSpec().GetProject()+"_"+v.GetSpec().GetName())
	}
	for _, v := range reg.GetLabelViews() {
		if v.GetSpec().GetOnline() {
			do(v.GetSpec().GetProject(), v.GetSpec().GetProject()+"_"+v.GetSpec().GetName())
		}
	}
}
