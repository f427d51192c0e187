// An API server for tests, made of the code of the real one: k8s.io/apiextensions-apiserver as it is, and
// beside its CRDs the other types that Stagely and its chart use (types.go). It is no kube-apiserver.
// scripts/real-api-server.sh builds and runs it.
package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/token/tokenfile"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	discoveryendpoint "k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-base/cli"

	"stagely.dev/real/openapi"
)

func main() {
	o := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	// In a cluster these ask the kube-apiserver.
	o.RecommendedOptions.Authentication, o.RecommendedOptions.Authorization = nil, nil
	var tokens string
	cmd := &cobra.Command{
		Use:               "real-api-server",
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.ServerRunOptions.ComponentGlobalsRegistry.Set() },
		RunE:              func(c *cobra.Command, _ []string) error { return run(c.Context(), o, tokens) },
	}
	cmd.SetContext(genericapiserver.SetupSignalContext())
	o.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&tokens, "token-auth-file", "", "CSV of token,name,uid,groups")
	os.Exit(cli.Run(cmd))
}

func run(ctx context.Context, o *options.CustomResourceDefinitionsServerOptions, tokens string) error {
	admissionOptions := o.RecommendedOptions.Admission
	// Of policies and webhooks only what types.go serves.
	admissionOptions.DisablePlugins = []string{"MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionWebhook"}
	o.RecommendedOptions.Admission, o.RecommendedOptions.CoreAPI = nil, nil
	o.RecommendedOptions.Features.EnablePriorityAndFairness = false
	if err := o.Complete(); err != nil {
		return err
	}
	var client *kubernetes.Clientset
	// Called when all else is set up: admission then looks at this server itself.
	o.RecommendedOptions.ExtraAdmissionInitializers = func(c *genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
		users, err := tokenfile.NewCSV(tokens)
		if err != nil {
			return nil, err
		}
		c.Authentication.Authenticator = group.NewAuthenticatedGroupAdder(bearertoken.New(users))
		c.Authorization.Authorizer = authorizerfactory.NewAlwaysAllowAuthorizer()
		c.ClientConfig = c.LoopbackClientConfig
		if client, err = kubernetes.NewForConfig(c.ClientConfig); err != nil {
			return nil, err
		}
		dynamicClient, err := dynamic.NewForConfig(c.ClientConfig)
		if err != nil {
			return nil, err
		}
		c.SharedInformerFactory = informers.NewSharedInformerFactory(client, 10*time.Minute)
		return nil, admissionOptions.ApplyTo(&c.Config, c.SharedInformerFactory, client, dynamicClient, utilfeature.DefaultFeatureGate, c.EffectiveVersion)
	}
	config, err := o.Config()
	if err != nil {
		return err
	}
	namer := openapinamer.NewDefinitionNamer(apiserver.Scheme, scheme)
	config.GenericConfig.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	config.GenericConfig.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	extensions, err := config.Complete().New(genericapiserver.NewEmptyDelegate())
	if err != nil {
		return err
	}
	server := extensions.GenericAPIServer
	if err := installTypes(server, config.GenericConfig, o.RecommendedOptions.Etcd); err != nil {
		return err
	}
	// In a cluster the aggregator lists the groups, and a controller makes the namespace.
	groups := discoveryendpoint.WrapAggregatedDiscoveryToHandler(server.DiscoveryGroupManager, server.AggregatedDiscoveryGroupManager, nil)
	server.Handler.GoRestfulContainer.Add(groups.GenerateWebService("/apis", metav1.APIGroupList{}))
	server.AddPostStartHookOrDie("default-namespace", func(hook genericapiserver.PostStartHookContext) error {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceDefault}}
		_, err := client.CoreV1().Namespaces().Create(hook, namespace, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
	return server.PrepareRun().RunWithContext(ctx)
}
