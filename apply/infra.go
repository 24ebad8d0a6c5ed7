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
	for _, o := range reg.GetInfra().GetInfraObjects() {
		if !strings.HasPrefix(o.GetSqliteTable().GetName(), a.opt.Project+"_") {
			infra.InfraObjects = append(infra.InfraObjects, o)
		}
	}
	add := func(project, view string) {
		if project != a.opt.Project {
			return
		}
		infra.InfraObjects = append(infra.InfraObjects, &core.InfraObject{
			InfraObjectClassType: sqliteTable,
			InfraObject:          &core.InfraObject_SqliteTable{SqliteTable: &core.SqliteTable{Path: a.opt.SQLite, Name: project + "_" + view}},
		})
	}
	for _, v := range reg.GetFeatureViews() {
		add(v.GetSpec().GetProject(), v.GetSpec().GetName())
	}
	for _, v := range reg.GetStreamFeatureViews() {
		add(v.GetSpec().GetProject(), v.GetSpec().GetName())
	}
	for _, v := range reg.GetLabelViews() {
		if v.GetSpec().GetOnline() {
			add(v.GetSpec().GetProject(), v.GetSpec().GetName())
		}
	}
	reg.Infra = infra
}
