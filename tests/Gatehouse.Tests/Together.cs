namespace Gatehouse.Tests;

/// <summary>Starts work on many threads at one moment.</summary>
internal static class Together
{
    public static Task<T[]> Run<T>(int count, Func<int, Task<T>> work) =>
        Run([.. Enumerable.Range(0, count).Select(i => (Func<Task<T>>)(() => work(i)))]);

    public static async Task<T[]> Run<T>(params Func<Task<T>>[] works)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var tasks = works.Select(work => Begin(work)).ToArray();
        start.SetResult();
        return await Task.WhenAll(tasks);

        async Task<T> Begin(Func<Task<T>> work)
        {
            await start.Task;
            return await work();
        }
    }

    /// <summary>The same for work of different kinds.</summary>
    public static Task Run(params Func<Task>[] works) => Run([.. works.Select(work => (Func<Task<bool>>)(async () =>
    {
        await work();
        return true;
    }))]);
}
