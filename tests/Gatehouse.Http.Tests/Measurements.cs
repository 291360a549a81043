using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>Tests that measure the whole process: they run one by one, when all others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Measurements
{
    public const string Name = "Measurements";
}
