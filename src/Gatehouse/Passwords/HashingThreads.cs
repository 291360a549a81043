using System.Runtime.InteropServices;

namespace Gatehouse.Passwords;

/// <summary>
/// A few dedicated threads of low priority behind a bounded queue, so that a burst of logins slows logins and nothing else.
/// </summary>
internal sealed partial class HashingThreads : IDisposable
{
    private readonly Queue<Job> waiting = new();
    private readonly Thread[] threads;
    private readonly int queueLimit;
    private readonly TimeSpan queueTimeout;
    private readonly TimeProvider time;
    private bool stopped;

    public HashingThreads(PasswordOptions options, TimeProvider time)
    {
        queueLimit = options.QueueLimit;
        queueTimeout = options.QueueTimeout;
        this.time = time;
        threads = [.. Enumerable.Range(1, options.Threads).Select(Start)];
    }

    public int Waiting
    {
        get
        {
            lock (waiting)
                return waiting.Count;
        }
    }

    /// <summary>Runs the work on one of the threads; answers <paramref name="busy"/> when it cannot be begun in time.</summary>
    public Task<T> Run<T>(Func<T> work, T busy, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellation);

        var job = new Job<T>(work, busy, time.GetTimestamp(), cancellation);
        lock (waiting)
        {
            if (!stopped && waiting.Count < queueLimit)
            {
                waiting.Enqueue(job);
                Monitor.Pulse(waiting);
                return job.Answer;
            }
        }

        job.AnswerBusy();
        return job.Answer;
    }

    /// <summary>Lets running work end, and answers busy to all that still waits.</summary>
    public void Dispose()
    {
        lock (waiting)
        {
            stopped = true;
            while (waiting.TryDequeue(out var job))
                job.AnswerBusy();
            Monitor.PulseAll(waiting);
        }

        foreach (var thread in threads)
            thread.Join();
    }

    private Thread Start(int number)
    {
        var thread = new Thread(Work) { IsBackground = true, Name = $"Password hashing {number}", Priority = ThreadPriority.BelowNormal };
        thread.Start();
        return thread;
    }

    private void Work()
    {
        LowerPriority();
        while (Next() is { } job)
        {
            if (time.GetElapsedTime(job.QueuedAt) > queueTimeout)
                job.AnswerBusy();
            else
                job.Run();
        }
    }

    private Job? Next()
    {
        lock (waiting)
        {
            while (waiting.Count == 0 && !stopped)
                Monitor.Wait(waiting);
            return stopped ? null : waiting.Dequeue();
        }
    }

    private static void LowerPriority()
    {
        // Thread.Priority does nothing on Linux. Id 0 is the calling thread there, not its process. A sandbox may refuse the
        // call; hashing then competes as an equal, which is slower for others and still right, so the answer is not looked at.
        if (OperatingSystem.IsLinux())
            _ = SetPriority(PrioProcess, id: 0, nice: 10);
    }

    private const int PrioProcess = 0;

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint id, int nice);

    private abstract class Job(long queuedAt)
    {
        public long QueuedAt => queuedAt;

        public abstract void Run();

        public abstract void AnswerBusy();
    }

    private sealed class Job<T> : Job
    {
        // A continuation must never run on a hashing thread.
        private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenRegistration registration;
        private readonly Func<T> work;
        private readonly T busy;

        public Job(Func<T> work, T busy, long queuedAt, CancellationToken cancellation) : base(queuedAt)
        {
            this.work = work;
            this.busy = busy;
            registration = cancellation.UnsafeRegister((_, token) => answer.TrySetCanceled(token), state: null);
        }

        public Task<T> Answer => answer.Task;

        public override void Run()
        {
            if (answer.Task.IsCompleted)
                return;
            registration.Unregister();
            try
            {
                answer.TrySetResult(work());
            }
            catch (Exception e)
            {
                answer.TrySetException(e);
            }
        }

        public override void AnswerBusy()
        {
            registration.Unregister();
            answer.TrySetResult(busy);
        }
    }
}
