using System.Reflection;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace Gatehouse.Testing;

/// <summary>The two stores; every test of storage or HTTP runs on both.</summary>
public enum Engine
{
    Sqlite,
    Postgres,
}

/// <summary>Runs a theory once per engine: <c>[Theory] [BothEngines]</c>; the test takes an <see cref="Engine"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BothEnginesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([new TheoryDataRow(Engine.Sqlite), new TheoryDataRow(Engine.Postgres)]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
