package server

import (
	"context"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
)

// GetEntity answers one entity.
func (s *registryService) GetEntity(_ context.Context, r *banquetv1.GetEntityRequest) (*banquetv1.GetEntityResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.Entities(), "entity", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetEntityResponse{Entity: m}, err
}

// ListEntities answers the entities of a project.
func (s *registryService) ListEntities(_ context.Context, r *banquetv1.ListEntitiesRequest) (*banquetv1.ListEntitiesResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.Entities(), r)
	return &banquetv1.ListEntitiesResponse{Entities: list, NextPageToken: next}, err
}

// GetDataSource answers one data source.
func (s *registryService) GetDataSource(_ context.Context, r *banquetv1.GetDataSourceRequest) (*banquetv1.GetDataSourceResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.DataSources(), "data source", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetDataSourceResponse{DataSource: m}, err
}

// ListDataSources answers the data sources of a project.
func (s *registryService) ListDataSources(_ context.Context, r *banquetv1.ListDataSourcesRequest) (*banquetv1.ListDataSourcesResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.DataSources(), r)
	return &banquetv1.ListDataSourcesResponse{DataSources: list, NextPageToken: next}, err
}

// GetFeatureView answers one feature view.
func (s *registryService) GetFeatureView(_ context.Context, r *banquetv1.GetFeatureViewRequest) (*banquetv1.GetFeatureViewResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.FeatureViews(), "feature view", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetFeatureViewResponse{FeatureView: m}, err
}

// ListFeatureViews answers the feature views of a project.
func (s *registryService) ListFeatureViews(_ context.Context, r *banquetv1.ListFeatureViewsRequest) (*banquetv1.ListFeatureViewsResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.FeatureViews(), r)
	return &banquetv1.ListFeatureViewsResponse{FeatureViews: list, NextPageToken: next}, err
}

// GetStreamFeatureView answers one stream feature view.
func (s *registryService) GetStreamFeatureView(_ context.Context, r *banquetv1.GetStreamFeatureViewRequest) (*banquetv1.GetStreamFeatureViewResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.StreamFeatureViews(), "stream feature view", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetStreamFeatureViewResponse{StreamFeatureView: m}, err
}

// ListStreamFeatureViews answers the stream feature views of a project.
func (s *registryService) ListStreamFeatureViews(_ context.Context, r *banquetv1.ListStreamFeatureViewsRequest) (*banquetv1.ListStreamFeatureViewsResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.StreamFeatureViews(), r)
	return &banquetv1.ListStreamFeatureViewsResponse{StreamFeatureViews: list, NextPageToken: next}, err
}

// GetOnDemandFeatureView answers one on-demand feature view.
func (s *registryService) GetOnDemandFeatureView(_ context.Context, r *banquetv1.GetOnDemandFeatureViewRequest) (*banquetv1.GetOnDemandFeatureViewResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.OnDemandFeatureViews(), "on-demand feature view", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetOnDemandFeatureViewResponse{OnDemandFeatureView: m}, err
}

// ListOnDemandFeatureViews answers the on-demand feature views of a project.
func (s *registryService) ListOnDemandFeatureViews(_ context.Context, r *banquetv1.ListOnDemandFeatureViewsRequest) (*banquetv1.ListOnDemandFeatureViewsResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.OnDemandFeatureViews(), r)
	return &banquetv1.ListOnDemandFeatureViewsResponse{OnDemandFeatureViews: list, NextPageToken: next}, err
}

// GetLabelView answers one label view.
func (s *registryService) GetLabelView(_ context.Context, r *banquetv1.GetLabelViewRequest) (*banquetv1.GetLabelViewResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.LabelViews(), "label view", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetLabelViewResponse{LabelView: m}, err
}

// ListLabelViews answers the label views of a project.
func (s *registryService) ListLabelViews(_ context.Context, r *banquetv1.ListLabelViewsRequest) (*banquetv1.ListLabelViewsResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.LabelViews(), r)
	return &banquetv1.ListLabelViewsResponse{LabelViews: list, NextPageToken: next}, err
}

// GetFeatureService answers one feature service.
func (s *registryService) GetFeatureService(_ context.Context, r *banquetv1.GetFeatureServiceRequest) (*banquetv1.GetFeatureServiceResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.FeatureServices(), "feature service", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetFeatureServiceResponse{FeatureService: m}, err
}

// ListFeatureServices answers the feature services of a project.
func (s *registryService) ListFeatureServices(_ context.Context, r *banquetv1.ListFeatureServicesRequest) (*banquetv1.ListFeatureServicesResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.FeatureServices(), r)
	return &banquetv1.ListFeatureServicesResponse{FeatureServices: list, NextPageToken: next}, err
}

// GetSavedDataset answers one saved dataset.
func (s *registryService) GetSavedDataset(_ context.Context, r *banquetv1.GetSavedDatasetRequest) (*banquetv1.GetSavedDatasetResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.SavedDatasets(), "saved dataset", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetSavedDatasetResponse{SavedDataset: m}, err
}

// ListSavedDatasets answers the saved datasets of a project.
func (s *registryService) ListSavedDatasets(_ context.Context, r *banquetv1.ListSavedDatasetsRequest) (*banquetv1.ListSavedDatasetsResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.SavedDatasets(), r)
	return &banquetv1.ListSavedDatasetsResponse{SavedDatasets: list, NextPageToken: next}, err
}

// GetValidationReference answers one validation reference.
func (s *registryService) GetValidationReference(_ context.Context, r *banquetv1.GetValidationReferenceRequest) (*banquetv1.GetValidationReferenceResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.ValidationReferences(), "validation reference", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetValidationReferenceResponse{ValidationReference: m}, err
}

// ListValidationReferences answers the validation references of a project.
func (s *registryService) ListValidationReferences(_ context.Context, r *banquetv1.ListValidationReferencesRequest) (*banquetv1.ListValidationReferencesResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.ValidationReferences(), r)
	return &banquetv1.ListValidationReferencesResponse{ValidationReferences: list, NextPageToken: next}, err
}

// GetPermission answers one permission.
func (s *registryService) GetPermission(_ context.Context, r *banquetv1.GetPermissionRequest) (*banquetv1.GetPermissionResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	m, err := find(p.Permissions(), "permission", r.GetName(), p.Name, r.GetView())
	return &banquetv1.GetPermissionResponse{Permission: m}, err
}

// ListPermissions answers the permissions of a project.
func (s *registryService) ListPermissions(_ context.Context, r *banquetv1.ListPermissionsRequest) (*banquetv1.ListPermissionsResponse, error) {
	p, err := s.project(r.GetProject())
	if err != nil {
		return nil, err
	}
	list, next, err := page(p.Permissions(), r)
	return &banquetv1.ListPermissionsResponse{Permissions: list, NextPageToken: next}, err
}
