// Made by tools/kinds/generate.ts from k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** The types of apiextensions.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
ConversionRequest
  uid string keep required
  desiredAPIVersion string keep required
  objects []RawExtension keep required list=atomic

ConversionResponse
  uid string keep required
  convertedObjects []RawExtension keep required list=atomic
  result meta/v1.Status keep required

ConversionReview
  kind string omit
  apiVersion string omit
  request ConversionRequest set
  response ConversionResponse set

CustomResourceColumnDefinition
  name string keep required
  type string keep required
  format string omit
  description string omit
  priority int32 omit
  jsonPath string keep required

CustomResourceConversion
  strategy string keep required
  webhook WebhookConversion set

CustomResourceDefinition
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec CustomResourceDefinitionSpec keep required
  status CustomResourceDefinitionStatus keep

CustomResourceDefinitionCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit
  observedGeneration int64 omit

CustomResourceDefinitionList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []CustomResourceDefinition keep required

CustomResourceDefinitionNames
  plural string keep required
  singular string omit
  shortNames []string omit list=atomic
  kind string keep required
  listKind string omit
  categories []string omit list=atomic

CustomResourceDefinitionSpec
  group string keep required
  names CustomResourceDefinitionNames keep required
  scope string keep required
  versions []CustomResourceDefinitionVersion keep required list=atomic
  conversion CustomResourceConversion set
  preserveUnknownFields bool omit

CustomResourceDefinitionStatus
  conditions []CustomResourceDefinitionCondition keep list=map(type)
  acceptedNames CustomResourceDefinitionNames keep
  storedVersions []string keep list=atomic
  observedGeneration int64 omit

CustomResourceDefinitionVersion
  name string keep required
  served bool keep required
  storage bool keep required
  deprecated bool omit
  deprecationWarning string set
  schema CustomResourceValidation set
  subresources CustomResourceSubresources set
  additionalPrinterColumns []CustomResourceColumnDefinition omit list=atomic
  selectableFields []SelectableField omit list=atomic

CustomResourceSubresourceScale
  specReplicasPath string keep required
  statusReplicasPath string keep required
  labelSelectorPath string set

CustomResourceSubresourceStatus

CustomResourceSubresources
  status CustomResourceSubresourceStatus set
  scale CustomResourceSubresourceScale set

CustomResourceValidation
  openAPIV3Schema JSONSchemaProps set

ExternalDocumentation
  description string omit
  url string omit

FieldValueErrorReason enum=["FieldValueDuplicate","FieldValueForbidden","FieldValueInvalid","FieldValueRequired"]

JSONSchemaProps
  id string omit
  $schema string omit
  $ref string set
  description string omit
  type string omit
  format string omit
  title string omit
  default JSON set
  maximum double set
  exclusiveMaximum bool omit
  minimum double set
  exclusiveMinimum bool omit
  maxLength int64 set
  minLength int64 set
  pattern string omit
  maxItems int64 set
  minItems int64 set
  uniqueItems bool omit
  multipleOf double set
  enum []JSON omit list=atomic
  maxProperties int64 set
  minProperties int64 set
  required []string omit list=atomic
  items JSONSchemaPropsOrArray set
  allOf []JSONSchemaProps omit list=atomic
  oneOf []JSONSchemaProps omit list=atomic
  anyOf []JSONSchemaProps omit list=atomic
  not JSONSchemaProps set
  properties map[]JSONSchemaProps omit
  additionalProperties JSONSchemaPropsOrBool set
  patternProperties map[]JSONSchemaProps omit
  dependencies map[]JSONSchemaPropsOrStringArray omit
  additionalItems JSONSchemaPropsOrBool set
  definitions map[]JSONSchemaProps omit
  externalDocs ExternalDocumentation set
  example JSON set
  nullable bool omit
  x-kubernetes-preserve-unknown-fields bool set
  x-kubernetes-embedded-resource bool omit
  x-kubernetes-int-or-string bool omit
  x-kubernetes-list-map-keys []string omit list=atomic
  x-kubernetes-list-type string set
  x-kubernetes-map-type string set
  x-kubernetes-validations []ValidationRule omit list=map(rule) patch=merge(rule)

JSONSchemaPropsOrArray oneOf=JSONSchemaProps|[]JSONSchemaProps

JSONSchemaPropsOrBool oneOf=JSONSchemaProps|bool

JSONSchemaPropsOrStringArray oneOf=JSONSchemaProps|[]string

SelectableField
  jsonPath string keep required

ServiceReference
  namespace string keep required
  name string keep required
  path string set
  port int32 set

ValidationRule
  rule string keep required
  message string omit
  messageExpression string omit
  reason FieldValueErrorReason set
  fieldPath string omit
  optionalOldSelf bool set

WebhookClientConfig
  url string set
  service ServiceReference set
  caBundle bytes omit

WebhookConversion
  clientConfig WebhookClientConfig set
  conversionReviewVersions []string keep required list=atomic
`;
