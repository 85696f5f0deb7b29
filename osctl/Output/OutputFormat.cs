namespace Talos.Osctl.Output;

enum OutputFormat
{
    Table = 0,
    Wide,
    Json,
    Yaml,
}
