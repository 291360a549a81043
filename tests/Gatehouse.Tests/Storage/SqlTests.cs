using Gatehouse.Storage;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class SqlTests
{
    private static readonly Sql Two = new("SELECT @a, @b_2, @a");

    [Fact]
    public void Named_parameters_become_numbers_and_a_repeated_name_keeps_its_own()
    {
        Assert.Equal("SELECT $1, $2, $1", Two.Text);
        Assert.Equal(["a", "b_2"], Two.Parameters);
        Assert.Equal("UPDATE t SET x=$1+1,y=($2)", new Sql("UPDATE t SET x=@x+1,y=(@Y9)").Text);
    }

    [Fact]
    public void Arguments_are_taken_in_any_order()
    {
        Assert.Equal([1L, 2L], Two.Order([("a", 1), ("b_2", 2)]).ToArray().Select(arg => arg.Number));
        Assert.Equal([1L, 2L], Two.Order([("b_2", 2), ("a", 1)]).ToArray().Select(arg => arg.Number));
    }

    [Fact]
    public void Every_parameter_needs_exactly_one_argument()
    {
        Assert.Throws<ArgumentException>(() => Two.Order([("a", 1)]));
        Assert.Throws<ArgumentException>(() => Two.Order([("a", 1), ("b_2", 2), ("c", 3)]));
        Assert.Throws<ArgumentException>(() => Two.Order([("a", 1), ("c", 2)]));
        Assert.Throws<ArgumentException>(() => Two.Order([("a", 1), ("B_2", 2)]));
        Assert.Throws<ArgumentException>(() => Two.Order([("a", 1), ("a", 2)]));
    }

    [Theory]
    [InlineData("SELECT 1", true, true)]
    [InlineData("  \n select 1", true, true)]
    [InlineData("UPDATE t SET x = 1", false, false)]
    [InlineData("UPDATE t SET x = 1 RETURNING x", false, true)]
    [InlineData("WITH old AS (SELECT 1) DELETE FROM t returning x", false, true)]
    public void A_statement_knows_whether_it_reads_and_whether_it_answers_with_rows(string text, bool reads, bool answers)
    {
        var sql = new Sql(text);
        Assert.Equal((reads, answers), (sql.IsRead, sql.ReturnsRows));
    }
}
