using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Talos.AotSelfTest;

static class FileCases
{
    internal static void Run(Cases cases)
    {
        var folder = Directory.CreateTempSubdirectory("self-test").FullName;

        cases.Run("files: write, read, time, mode, link, move", () =>
        {
            var path = folder + "/a";
            File.WriteAllText(path, "héllo");
            Expect.Equal("héllo", File.ReadAllText(path));
            Expect.Equal(6L, new FileInfo(path).Length);
            var time = new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc);
            File.SetLastWriteTimeUtc(path, time);
            Expect.Equal(time, File.GetLastWriteTimeUtc(path));
            const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
            File.SetUnixFileMode(path, mode);
            Expect.Equal(mode, File.GetUnixFileMode(path));
            File.CreateSymbolicLink(folder + "/link", path);
            Expect.Equal(path, File.ResolveLinkTarget(folder + "/link", returnFinalTarget: true)!.FullName);
            File.Move(path, folder + "/b", overwrite: true);
            Expect.Equal("héllo", File.ReadAllText(folder + "/b"));
        });

        cases.Run("files: positions, lengths, flush to disk", () =>
        {
            using var handle = File.OpenHandle(folder + "/random", FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.Asynchronous, 1 << 20);
            RandomAccess.WriteAsync(handle, new byte[5000], 100_000).AsTask().Wait();
            Expect.Equal(105_000L, RandomAccess.GetLength(handle));
            RandomAccess.SetLength(handle, 10);
            RandomAccess.FlushToDisk(handle);
        });

        cases.Run("files: exclusive open excludes", () =>
        {
            using var first = new FileStream(folder + "/lock", FileMode.Create, FileAccess.ReadWrite, FileShare.None);
            Expect.Throws<IOException>(() => new FileStream(folder + "/lock", FileMode.Open).Dispose());
        });

        // glibc-shim.c: strerror_r
        cases.Run("files: errors have their text", () =>
        {
            Expect.True(Expect.Throws<IOException>(() => File.WriteAllText("/dev/full", "x")).Message.Contains("space", StringComparison.Ordinal));
            for (var error = 1; error < 132; error++) Expect.True(!string.IsNullOrEmpty(Marshal.GetPInvokeErrorMessage(error)));
        });

        cases.Run("files: watcher sees new files", () =>
        {
            using var watcher = new FileSystemWatcher(folder);
            using var seen = new CountdownEvent(2);
            watcher.Created += (_, _) => seen.Signal();
            watcher.EnableRaisingEvents = true;
            File.WriteAllText(folder + "/watched-1", "x");
            File.WriteAllText(folder + "/watched-2", "x");
            seen.Wait();
        });

        cases.Run("files: memory mapping", () =>
        {
            File.WriteAllBytes(folder + "/mapped", new byte[1 << 20]);
            using (var map = MemoryMappedFile.CreateFromFile(folder + "/mapped"))
            using (var view = map.CreateViewAccessor())
                view.Write(5000, (byte)42);
            Expect.Equal((byte)42, File.ReadAllBytes(folder + "/mapped")[5000]);
        });

        cases.Run("files: 2000 in a folder", () =>
        {
            var many = Directory.CreateDirectory(folder + "/many").FullName;
            for (var i = 0; i < 2000; i++) File.Create($"{many}/{i}").Dispose();
            Expect.Equal(2000, Directory.EnumerateFiles(many).Count());
        });

        cases.Run("files: devices and sizes", () =>
        {
            using var random = File.OpenRead("/dev/urandom");
            random.ReadExactly(new byte[16]);
            File.WriteAllText("/dev/null", "x");
            Expect.True(new DriveInfo("/tmp").TotalSize > 0);
        });

        cases.Run("files: folder is removed with everything in it", () => Directory.Delete(folder, recursive: true));
    }
}
