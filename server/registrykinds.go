package server

import (
	"context"

	"google.golang.org/protobuf/proto"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/registry"
)

// getRequest is implemented by all requests for one object of a project.
type getRequest interface {
	GetProject() string
	GetName() string
	GetView() banquetv1.ObjectView
}

// listRequest is implemented by all requests for the objects of a project.
type listRequest interface {
	GetProject() string
	pageRequest
}

// getObject returns one object of a project; objects lists the objects of its kind.
func getObject[M proto.Message](s *registryService, r getRequest, kind string, objects func(*registry.Project) []M) (M, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		var none M
		return none, err
	}
	return find(objects(p), kind, r.GetName(), p.Name, r.GetView())
}

// listObjects returns one page of the objects of a project.
func listObjects[M proto.Message](s *registryService, r listRequest, objects func(*registry.Project) []M) ([]M, string, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, "", err
	}
	return page(objects(p), r)
}

// GetEntity returns one entity.
func (s *registryService) GetEntity(_ context.Context, r *banquetv1.GetEntityRequest) (*banquetv1.GetEntityResponse, error) {
	m, err := getObject(s, r, "entity", (*registry.Project).Entities)
	return &banquetv1.GetEntityResponse{Entity: m}, err
}

// ListEntities returns the entities of a project.
func (s *registryService) ListEntities(_ context.Context, r *banquetv1.ListEntitiesRequest) (*banquetv1.ListEntitiesResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).Entities)
	return &banquetv1.ListEntitiesResponse{Entities: list, NextPageToken: next}, err
}

// GetDataSource returns one data source.
func (s *registryService) GetDataSource(_ context.Context, r *banquetv1.GetDataSourceRequest) (*banquetv1.GetDataSourceResponse, error) {
	m, err := getObject(s, r, "data source", (*registry.Project).DataSources)
	return &banquetv1.GetDataSourceResponse{DataSource: m}, err
}

// ListDataSources returns the data sources of a project.
func (s *registryService) ListDataSources(_ context.Context, r *banquetv1.ListDataSourcesRequest) (*banquetv1.ListDataSourcesResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).DataSources)
	return &banquetv1.ListDataSourcesResponse{DataSources: list, NextPageToken: next}, err
}

// GetFeatureView returns one feature view.
func (s *registryService) GetFeatureView(_ context.Context, r *banquetv1.GetFeatureViewRequest) (*banquetv1.GetFeatureViewResponse, error) {
	m, err := getObject(s, r, "feature view", (*registry.Project).FeatureViews)
	return &banquetv1.GetFeatureViewResponse{FeatureView: m}, err
}

// ListFeatureViews returns the feature views of a project.
func (s *registryService) ListFeatureViews(_ context.Context, r *banquetv1.ListFeatureViewsRequest) (*banquetv1.ListFeatureViewsResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).FeatureViews)
	return &banquetv1.ListFeatureViewsResponse{FeatureViews: list, NextPageToken: next}, err
}

// GetStreamFeatureView returns one stream feature view.
func (s *registryService) GetStreamFeatureView(_ context.Context, r *banquetv1.GetStreamFeatureViewRequest) (*banquetv1.GetStreamFeatureViewResponse, error) {
	m, err := getObject(s, r, "stream feature view", (*registry.Project).StreamFeatureViews)
	return &banquetv1.GetStreamFeatureViewResponse{StreamFeatureView: m}, err
}

// ListStreamFeatureViews returns the stream feature views of a project.
func (s *registryService) ListStreamFeatureViews(_ context.Context, r *banquetv1.ListStreamFeatureViewsRequest) (*banquetv1.ListStreamFeatureViewsResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).StreamFeatureViews)
	return &banquetv1.ListStreamFeatureViewsResponse{StreamFeatureViews: list, NextPageToken: next}, err
}

// GetOnDemandFeatureView returns one on-demand feature view.
func (s *registryService) GetOnDemandFeatureView(_ context.Context, r *banquetv1.GetOnDemandFeatureViewRequest) (*banquetv1.GetOnDemandFeatureViewResponse, error) {
	m, err := getObject(s, r, "on-demand feature view", (*registry.Project).OnDemandFeatureViews)
	return &banquetv1.GetOnDemandFeatureViewResponse{OnDemandFeatureView: m}, err
}

// ListOnDemandFeatureViews returns the on-demand feature views of a project.
func (s *registryService) ListOnDemandFeatureViews(_ context.Context, r *banquetv1.ListOnDemandFeatureViewsRequest) (*banquetv1.ListOnDemandFeatureViewsResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).OnDemandFeatureViews)
	return &banquetv1.ListOnDemandFeatureViewsResponse{OnDemandFeatureViews: list, NextPageToken: next}, err
}

// GetLabelView returns one label view.
func (s *registryService) GetLabelView(_ context.Context, r *banquetv1.GetLabelViewRequest) (*banquetv1.GetLabelViewResponse, error) {
	m, err := getObject(s, r, "label view", (*registry.Project).LabelViews)
	return &banquetv1.GetLabelViewResponse{LabelView: m}, err
}

// ListLabelViews returns the label views of a project.
func (s *registryService) ListLabelViews(_ context.Context, r *banquetv1.ListLabelViewsRequest) (*banquetv1.ListLabelViewsResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).LabelViews)
	return &banquetv1.ListLabelViewsResponse{LabelViews: list, NextPageToken: next}, err
}

// GetFeatureService returns one feature service.
func (s *registryService) GetFeatureService(_ context.Context, r *banquetv1.GetFeatureServiceRequest) (*banquetv1.GetFeatureServiceResponse, error) {
	m, err := getObject(s, r, "feature service", (*registry.Project).FeatureServices)
	return &banquetv1.GetFeatureServiceResponse{FeatureService: m}, err
}

// ListFeatureServices returns the feature services of a project.
func (s *registryService) ListFeatureServices(_ context.Context, r *banquetv1.ListFeatureServicesRequest) (*banquetv1.ListFeatureServicesResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).FeatureServices)
	return &banquetv1.ListFeatureServicesResponse{FeatureServices: list, NextPageToken: next}, err
}

// GetSavedDataset returns one saved dataset.
func (s *registryService) GetSavedDataset(_ context.Context, r *banquetv1.GetSavedDatasetRequest) (*banquetv1.GetSavedDatasetResponse, error) {
	m, err := getObject(s, r, "saved dataset", (*registry.Project).SavedDatasets)
	return &banquetv1.GetSavedDatasetResponse{SavedDataset: m}, err
}

// ListSavedDatasets returns the saved datasets of a project.
func (s *registryService) ListSavedDatasets(_ context.Context, r *banquetv1.ListSavedDatasetsRequest) (*banquetv1.ListSavedDatasetsResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).SavedDatasets)
	return &banquetv1.ListSavedDatasetsResponse{SavedDatasets: list, NextPageToken: next}, err
}

// GetValidationReference returns one validation reference.
func (s *registryService) GetValidationReference(_ context.Context, r *banquetv1.GetValidationReferenceRequest) (*banquetv1.GetValidationReferenceResponse, error) {
	m, err := getObject(s, r, "validation reference", (*registry.Project).ValidationReferences)
	return &banquetv1.GetValidationReferenceResponse{ValidationReference: m}, err
}

// ListValidationReferences returns the validation references of a project.
func (s *registryService) ListValidationReferences(_ context.Context, r *banquetv1.ListValidationReferencesRequest) (*banquetv1.ListValidationReferencesResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).ValidationReferences)
	return &banquetv1.ListValidationReferencesResponse{ValidationReferences: list, NextPageToken: next}, err
}

// GetPermission returns one permission.
func (s *registryService) GetPermission(_ context.Context, r *banquetv1.GetPermissionRequest) (*banquetv1.GetPermissionResponse, error) {
	m, err := getObject(s, r, "permission", (*registry.Project).Permissions)
	return &banquetv1.GetPermissionResponse{Permission: m}, err
}

// ListPermissions returns the permissions of a project.
func (s *registryService) ListPermissions(_ context.Context, r *banquetv1.ListPermissionsRequest) (*banquetv1.ListPermissionsResponse, error) {
	list, next, err := listObjects(s, r, (*registry.Project).Permissions)
	return &banquetv1.ListPermissionsResponse{Permissions: list, NextPageToken: next}, err
}
