namespace Talos.Policy;

/// <summary>
/// The schemas of schemas, which a reference may name without the network: those of the drafts that OPA's library carries too (json-schema.org, BSD licence).
/// </summary>
static class Metaschemas
{
    public static Value? Find(string name) => name switch
    {
        "http://json-schema.org/draft-04/schema" or "https://json-schema.org/draft-04/schema" => ValueJson.Parse(Draft4),
        "http://json-schema.org/draft-06/schema" or "https://json-schema.org/draft-06/schema" => ValueJson.Parse(Draft6),
        "http://json-schema.org/draft-07/schema" or "https://json-schema.org/draft-07/schema" => ValueJson.Parse(Draft7),
        _ => null,
    };

    const string Draft4 = """
        {"id": "http://json-schema.org/draft-04/schema#", "$schema": "http://json-schema.org/draft-04/schema#", "description": "Core schema meta-schema",
        "definitions": {"schemaArray": {"type": "array", "minItems": 1, "items": {"$ref": "#"}}, "positiveInteger": {"type": "integer", "minimum": 0},
          "positiveIntegerDefault0": {"allOf": [{"$ref": "#/definitions/positiveInteger"}, {"default": 0}]},
          "simpleTypes": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
          "stringArray": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": true}},
        "type": "object",
        "properties": {"id": {"type": "string"}, "$schema": {"type": "string"}, "title": {"type": "string"}, "description": {"type": "string"}, "default": {},
          "multipleOf": {"type": "number", "minimum": 0, "exclusiveMinimum": true}, "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "boolean"},
          "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "boolean"}, "maxLength": {"$ref": "#/definitions/positiveInteger"},
          "minLength": {"$ref": "#/definitions/positiveIntegerDefault0"}, "pattern": {"type": "string", "format": "regex"},
          "additionalItems": {"anyOf": [{"type": "boolean"}, {"$ref": "#"}], "default": {}},
          "items": {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/schemaArray"}], "default": {}},
          "maxItems": {"$ref": "#/definitions/positiveInteger"}, "minItems": {"$ref": "#/definitions/positiveIntegerDefault0"},
          "uniqueItems": {"type": "boolean", "default": false},
          "maxProperties": {"$ref": "#/definitions/positiveInteger"}, "minProperties": {"$ref": "#/definitions/positiveIntegerDefault0"},
          "required": {"$ref": "#/definitions/stringArray"}, "additionalProperties": {"anyOf": [{"type": "boolean"}, {"$ref": "#"}], "default": {}},
          "definitions": {"type": "object", "additionalProperties": {"$ref": "#"}, "default": {}},
          "properties": {"type": "object", "additionalProperties": {"$ref": "#"}, "default": {}},
          "patternProperties": {"type": "object", "additionalProperties": {"$ref": "#"}, "default": {}},
          "dependencies": {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/stringArray"}]}},
          "enum": {"type": "array", "minItems": 1, "uniqueItems": true},
          "type": {"anyOf": [{"$ref": "#/definitions/simpleTypes"},
            {"type": "array", "items": {"$ref": "#/definitions/simpleTypes"}, "minItems": 1, "uniqueItems": true}]},
          "format": {"type": "string"}, "allOf": {"$ref": "#/definitions/schemaArray"}, "anyOf": {"$ref": "#/definitions/schemaArray"},
          "oneOf": {"$ref": "#/definitions/schemaArray"}, "not": {"$ref": "#"}},
        "dependencies": {"exclusiveMaximum": ["maximum"], "exclusiveMinimum": ["minimum"]}, "default": {}}
        """;

    const string Draft7Only = """
        "$comment": {"type": "string"}, "readOnly": {"type": "boolean", "default": false}, "if": {"$ref": "#"}, "then": {"$ref": "#"}, "else": {"$ref": "#"},
        "contentMediaType": {"type": "string"}, "contentEncoding": {"type": "string"},
        """;

    static string Draft6 => Later("06", "", "{}", """ "minItems": 1, "uniqueItems": true """);

    static string Draft7 => Later("07", Draft7Only, "true", """ "items": true """);

    static string Later(string draft, string only, string any, string values) => Drafts6And7.Replace("DRAFT", draft, StringComparison.Ordinal)
        .Replace("ONLY", only, StringComparison.Ordinal).Replace("ANY", any, StringComparison.Ordinal).Replace("VALUES", values, StringComparison.Ordinal);

    const string Drafts6And7 = """
        {"$schema": "http://json-schema.org/draft-DRAFT/schema#", "$id": "http://json-schema.org/draft-DRAFT/schema#", "title": "Core schema meta-schema",
        "definitions": {"schemaArray": {"type": "array", "minItems": 1, "items": {"$ref": "#"}}, "nonNegativeInteger": {"type": "integer", "minimum": 0},
          "nonNegativeIntegerDefault0": {"allOf": [{"$ref": "#/definitions/nonNegativeInteger"}, {"default": 0}]},
          "simpleTypes": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
          "stringArray": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "default": []}},
        "type": ["object", "boolean"],
        "properties": { ONLY
          "$id": {"type": "string", "format": "uri-reference"}, "$schema": {"type": "string", "format": "uri"},
          "$ref": {"type": "string", "format": "uri-reference"},
          "title": {"type": "string"}, "description": {"type": "string"}, "default": ANY,
          "examples": {"type": "array", "items": ANY}, "multipleOf": {"type": "number", "exclusiveMinimum": 0},
          "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "number"}, "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
          "maxLength": {"$ref": "#/definitions/nonNegativeInteger"}, "minLength": {"$ref": "#/definitions/nonNegativeIntegerDefault0"},
          "pattern": {"type": "string", "format": "regex"}, "additionalItems": {"$ref": "#"},
          "items": {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/schemaArray"}], "default": ANY},
          "maxItems": {"$ref": "#/definitions/nonNegativeInteger"}, "minItems": {"$ref": "#/definitions/nonNegativeIntegerDefault0"},
          "uniqueItems": {"type": "boolean", "default": false}, "contains": {"$ref": "#"},
          "maxProperties": {"$ref": "#/definitions/nonNegativeInteger"}, "minProperties": {"$ref": "#/definitions/nonNegativeIntegerDefault0"},
          "required": {"$ref": "#/definitions/stringArray"}, "additionalProperties": {"$ref": "#"},
          "definitions": {"type": "object", "additionalProperties": {"$ref": "#"}, "default": {}},
          "properties": {"type": "object", "additionalProperties": {"$ref": "#"}, "default": {}},
          "patternProperties": {"type": "object", "additionalProperties": {"$ref": "#"}, "propertyNames": {"format": "regex"}, "default": {}},
          "dependencies": {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/stringArray"}]}},
          "propertyNames": {"$ref": "#"}, "const": ANY,
          "enum": {"type": "array", VALUES},
          "type": {"anyOf": [{"$ref": "#/definitions/simpleTypes"},
            {"type": "array", "items": {"$ref": "#/definitions/simpleTypes"}, "minItems": 1, "uniqueItems": true}]},
          "format": {"type": "string"}, "allOf": {"$ref": "#/definitions/schemaArray"}, "anyOf": {"$ref": "#/definitions/schemaArray"},
          "oneOf": {"$ref": "#/definitions/schemaArray"}, "not": {"$ref": "#"}},
        "default": ANY}
        """;
}
