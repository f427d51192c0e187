// The types beside CRDs: those of k8s.io/api, decoded, stored, watched and patched as a cluster does. What
// k8s.io/kubernetes adds to them is missing, but for the defaults below: validation, defaults, controllers.
// A namespace goes at once and leaves what was in it; nothing runs a Deployment.
package main

import (
	"context"
	"slices"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/storage/names"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
)

var namespaced = map[string][]string{
	"":                          {"Secret", "Event", "ConfigMap", "Service", "ServiceAccount", "PersistentVolumeClaim", "Pod"},
	"apps":                      {"Deployment"},
	"networking.k8s.io":         {"NetworkPolicy", "Ingress"},
	"policy":                    {"PodDisruptionBudget"},
	"rbac.authorization.k8s.io": {"Role", "RoleBinding"},
}
var clusterWide = map[string][]string{
	"":                             {"Namespace"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"admissionregistration.k8s.io": {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"},
}

var scheme = runtime.NewScheme()
var codecs = serializer.NewCodecFactory(scheme)

func init() {
	utilruntime.Must(clientscheme.AddToScheme(scheme))
	for _, types := range []map[string][]string{namespaced, clusterWide} {
		for group, kinds := range types {
			// The types of k8s.io/api are their own internal version.
			internal := schema.GroupVersion{Group: group, Version: runtime.APIVersionInternal}
			for _, kind := range kinds {
				scheme.AddKnownTypeWithName(internal.WithKind(kind), newObject(group, kind))
				scheme.AddKnownTypeWithName(internal.WithKind(kind+"List"), newObject(group, kind+"List"))
			}
		}
	}
	utilruntime.Must(scheme.AddFieldLabelConversionFunc(corev1.SchemeGroupVersion.WithKind("Event"),
		func(label, value string) (string, string, error) { return label, value, nil }))
	scheme.AddTypeDefaultingFunc(&corev1.Namespace{}, func(o any) {
		namespace := o.(*corev1.Namespace)
		metav1.SetMetaDataLabel(&namespace.ObjectMeta, corev1.LabelMetadataName, namespace.Name)
		namespace.Status.Phase = corev1.NamespaceActive
	})
	scheme.AddTypeDefaultingFunc(&corev1.Secret{}, func(o any) {
		secret := o.(*corev1.Secret)
		for key, text := range secret.StringData {
			if secret.Data == nil {
				secret.Data = map[string][]byte{}
			}
			secret.Data[key] = []byte(text)
		}
		secret.StringData = nil
	})
	scheme.AddTypeDefaultingFunc(&admissionregistration.ValidatingAdmissionPolicy{}, func(o any) {
		spec := &o.(*admissionregistration.ValidatingAdmissionPolicy).Spec
		if spec.FailurePolicy == nil {
			spec.FailurePolicy = new(admissionregistration.Fail)
		}
		defaultMatch(spec.MatchConstraints)
	})
	scheme.AddTypeDefaultingFunc(&admissionregistration.ValidatingAdmissionPolicyBinding{}, func(o any) {
		defaultMatch(o.(*admissionregistration.ValidatingAdmissionPolicyBinding).Spec.MatchResources)
	})
}

func newObject(group, kind string) runtime.Object {
	object, err := scheme.New(schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind})
	utilruntime.Must(err)
	return object
}

func defaultMatch(match *admissionregistration.MatchResources) {
	if match == nil {
		return
	}
	if match.MatchPolicy == nil {
		match.MatchPolicy = new(admissionregistration.Equivalent)
	}
	if match.NamespaceSelector == nil {
		match.NamespaceSelector = &metav1.LabelSelector{}
	}
	if match.ObjectSelector == nil {
		match.ObjectSelector = &metav1.LabelSelector{}
	}
}

func installTypes(server *genericapiserver.GenericAPIServer, config *genericapiserver.RecommendedConfig, etcd *genericoptions.EtcdOptions) error {
	for _, group := range []string{"", "apps", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"} {
		version := schema.GroupVersion{Group: group, Version: "v1"}
		storage := etcd.StorageConfig
		storage.Codec = codecs.LegacyCodec(version)
		storage.StorageObjectCountTracker = config.StorageObjectCountTracker
		factory := &genericoptions.SimpleStorageFactory{StorageConfig: storage}
		options := etcd.CreateRESTOptionsGetter(factory, config.ResourceTransformers)
		info := genericapiserver.NewDefaultAPIGroupInfo(group, scheme, metav1.ParameterCodec, codecs)
		info.PrioritizedVersions = []schema.GroupVersion{version}
		stores := map[string]rest.Storage{}
		info.VersionedResourcesStorageMap["v1"] = stores
		for _, kind := range append(slices.Clone(namespaced[group]), clusterWide[group]...) {
			plural, singular := meta.UnsafeGuessKindToResource(version.WithKind(kind))
			store, err := newStore(version.WithKind(kind), plural.GroupResource(), singular.GroupResource(), options)
			if err != nil {
				return err
			}
			stores[plural.Resource] = store
		}
		var err error
		if group == "" {
			err = server.InstallLegacyAPIGroup("/api", &info)
		} else {
			err = server.InstallAPIGroup(&info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func newStore(kind schema.GroupVersionKind, plural, singular schema.GroupResource, options generic.RESTOptionsGetter) (*registry.Store, error) {
	s := strategy{scheme, names.SimpleNameGenerator, slices.Contains(namespaced[kind.Group], kind.Kind)}
	store := &registry.Store{
		NewFunc:                   func() runtime.Object { return newObject(kind.Group, kind.Kind) },
		NewListFunc:               func() runtime.Object { return newObject(kind.Group, kind.Kind+"List") },
		DefaultQualifiedResource:  plural,
		SingularQualifiedResource: singular,
		CreateStrategy:            s,
		UpdateStrategy:            s,
		DeleteStrategy:            s,
		TableConvertor:            rest.NewDefaultTableConvertor(plural),
	}
	complete := &generic.StoreOptions{RESTOptions: options}
	if kind.Kind == "Event" {
		complete.AttrFunc = eventFields
	}
	return store, store.CompleteWithOptions(complete)
}

// What kubectl and Stagely select events by.
func eventFields(o runtime.Object) (labels.Set, fields.Set, error) {
	event := o.(*corev1.Event)
	return event.Labels, fields.Set{
		"metadata.name":             event.Name,
		"metadata.namespace":        event.Namespace,
		"involvedObject.apiVersion": event.InvolvedObject.APIVersion,
		"involvedObject.kind":       event.InvolvedObject.Kind,
		"involvedObject.namespace":  event.InvolvedObject.Namespace,
		"involvedObject.name":       event.InvolvedObject.Name,
		"involvedObject.uid":        string(event.InvolvedObject.UID),
		"reason":                    event.Reason,
		"type":                      event.Type,
	}, nil
}

type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	namespaced bool
}

func (s strategy) NamespaceScoped() bool                                               { return s.namespaced }
func (strategy) PrepareForCreate(context.Context, runtime.Object)                      {}
func (strategy) PrepareForUpdate(_ context.Context, _, _ runtime.Object)               {}
func (strategy) Validate(context.Context, runtime.Object) field.ErrorList              { return nil }
func (strategy) ValidateUpdate(_ context.Context, _, _ runtime.Object) field.ErrorList { return nil }
func (strategy) WarningsOnCreate(context.Context, runtime.Object) []string             { return nil }
func (strategy) WarningsOnUpdate(_ context.Context, _, _ runtime.Object) []string      { return nil }
func (strategy) Canonicalize(runtime.Object)                                           {}
func (strategy) AllowCreateOnUpdate() bool                                             { return false }
func (strategy) AllowUnconditionalUpdate() bool                                        { return true }
