using Xunit.v3;

namespace Gatehouse.Testing;

/// <summary>Names the requirements that a test shows; <c>script/requirements</c> prints those that no test shows.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class RequirementAttribute(params string[] ids) : Attribute, ITraitAttribute
{
    public IReadOnlyList<string> Ids => ids;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [.. ids.Select(id => KeyValuePair.Create("Requirement", id))];
}
